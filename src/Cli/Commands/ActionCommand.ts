/** `flange action`. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as SchemaAST from "effect/SchemaAST"
import { nearest } from "../../Config/Nearest.ts"
import * as Action from "../../Plugin/Action.ts"
import type * as AppDefinition from "../../Plugin/AppDefinition.ts"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import type { CommandError } from "../../Plugin/Cli.ts"
import * as TextTable from "../../Server/TextTable.ts"
import * as AppFile from "../AppFile.ts"
import { AppFlag } from "../AppFlag.ts"
import * as CurrentApp from "../CurrentApp.ts"
import { sentenceOf, unusable } from "../Failure.ts"
import * as Flags from "../Flags.ts"
import * as Output from "../Output.ts"

/** An action of an app and its plugin. */
interface Owned {
  readonly action: Action.Any
  readonly plugin: string
}

const actionsOf = ({ plugins }: AppDefinition.Any): ReadonlyArray<Owned> =>
  plugins
    .flatMap(({ id, manifest }) =>
      manifest.contributions
        .filter(Action.isImplemented)
        .map(({ data }): Owned => ({ action: data, plugin: id }))
    )
    .sort((a, b) => (a.action.name < b.action.name ? -1 : 1))

const takesPayload = ({ payload }: Action.Any): boolean => !SchemaAST.isVoid(payload.ast)

const list = Command.make(
  "list",
  { json: Flags.json },
  Effect.fn(function* ({ json }) {
    const app = yield* AppFile.load(yield* AppFlag)
    const rows = actionsOf(app).map(({ action, plugin }) => ({
      name: action.name,
      payload: takesPayload(action),
      plugin
    }))
    if (json) return yield* Output.json(rows)
    const lines = TextTable.lines(
      ["NAME", "PAYLOAD", "PLUGIN"],
      rows.map(({ name, payload, plugin }) => [name, payload ? "yes" : "-", plugin])
    )
    return yield* Output.lines(lines)
  })
).pipe(Command.withDescription("List the actions of the app. Nothing is started"))

const find = (app: AppDefinition.Any, name: string): Effect.Effect<Action.Any, CommandError> => {
  const actions = actionsOf(app).map(({ action }) => action)
  const found = actions.find((action) => action.name === name)
  if (found !== undefined) return Effect.succeed(found)
  const names = actions.map((action) => action.name)
  const near = nearest(name, names)
  const advice =
    near !== undefined
      ? `Did you mean "${near}"?`
      : names.length === 0
        ? "None of its plugins has `actions`."
        : `Its actions are: ${names.join(", ")}.`
  return Effect.fail(unusable(`The app "${app.id}" has no action "${name}". ${advice}`))
}

const payloadOf = (
  action: Action.Any,
  text: Option.Option<string>
): Effect.Effect<unknown, CommandError> => {
  if (Option.isNone(text)) {
    return takesPayload(action)
      ? Effect.fail(
          unusable(`Action "${action.name}" has a payload. Write it as JSON: --payload '{"id": 7}'`)
        )
      : Effect.succeed(null)
  }
  return Effect.try({
    catch: (error) =>
      unusable(
        `--payload is not JSON: ${sentenceOf(error)}. Write for example --payload '{"id": 7}' or --payload '"text"'`
      ),
    try: () => JSON.parse(text.value)
  })
}

/** Refuses a wrong payload before anything is acquired, if its schema needs no service of the app. */
const check = (action: Action.Any, payload: unknown) =>
  Effect.flatMap(
    // A schema that misses a service dies.
    Effect.exit(
      Action.decodeJson(action)(payload) as Effect.Effect<unknown, Action.ActionPayloadError>
    ),
    (exit) => (Exit.hasFails(exit) ? exit : Effect.void)
  )

const run = Command.make(
  "run",
  {
    name: Argument.String("name").pipe(Argument.withDescription("The name of the action")),
    payload: Flag.String("payload").pipe(
      Flag.withMetavar("JSON"),
      Flag.withDescription("The payload, if the action has one"),
      Flag.optional
    )
  },
  Effect.fn(function* ({ name, payload: text }) {
    const app = yield* AppFile.load(yield* AppFlag)
    const action = yield* find(app, name)
    const payload = yield* payloadOf(action, text)
    yield* check(action, payload)
    const result = yield* CurrentApp.make(app).run(
      Effect.flatMap(AppRuntime, ({ contributions }) =>
        // Every plugin is acquired, so the action is among the contributions.
        contributions(Action.kind)
          .find((contributed) => contributed.name === name)!
          .value(payload)
      )
    )
    yield* Output.json(result)
  })
).pipe(
  Command.withDescription(
    "Start all plugins without a listener, run an action, and print its result as JSON"
  )
)

export const command = Command.make("action").pipe(
  Command.withDescription("List and run the actions of the app"),
  Command.withSubcommands([list, run])
)

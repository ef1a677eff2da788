/** `flange new`. */
import { relative } from "node:path"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Prompt from "effect/cli/Prompt"
import { TerminalCapabilities } from "effect/cli/TerminalCapabilities"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { CommandError } from "../../Plugin/Cli.ts"
import { sentenceOf } from "../Failure.ts"
import * as Answers from "../New/Answers.ts"
import * as BuiltIn from "../New/BuiltIn.ts"
import * as Flange from "../New/Flange.ts"
import * as Folder from "../New/Folder.ts"
import * as Install from "../New/Install.ts"
import * as Load from "../New/Load.ts"
import * as Name from "../New/Name.ts"
import * as Output from "../Output.ts"

const noName = Effect.fail(
  new CommandError({ exitCode: 2, reason: "The name is missing. Write: flange new shop" })
)

const askName = Prompt.String({
  message: "What is the name of the service?",
  validate: (text) => {
    const reason = Name.problem(text)
    return reason === undefined ? Effect.succeed(text) : Effect.fail(reason)
  }
})

const askTemplate = Prompt.Select({
  choices: Object.entries(BuiltIn.templates).map(([name, { description }]) => ({
    description,
    title: name,
    value: name
  })),
  message: "Which template?"
})

/** Returns the answers of the command line, of which `--auth` and `--db` are short forms. */
const given = (
  answer: Readonly<Record<string, string>>,
  short: Readonly<Record<string, Option.Option<string>>>
) =>
  Effect.gen(function* () {
    const all = { ...answer }
    for (const [name, value] of Object.entries(short)) {
      if (Option.isNone(value)) continue
      if (name in answer) {
        return yield* new CommandError({
          exitCode: 2,
          reason: `--${name} and --answer ${name}=${answer[name]} are both given: write one of them`
        })
      }
      all[name] = value.value
    }
    return all
  })

export const command = Command.make(
  "new",
  {
    answer: Flag.KeyValuePair("answer").pipe(
      Flag.withDescription("The answer to a question of the template; may be repeated"),
      Flag.withDefault({})
    ),
    auth: Flag.Literals("auth", ["api-key", "jwt", "none"]).pipe(
      Flag.withDescription("How callers authenticate; jwt if absent, none with minimal"),
      Flag.optional
    ),
    db: Flag.Literals("db", ["mysql", "none", "pglite", "postgres"]).pipe(
      Flag.withDescription(
        "The database; pglite with api, postgres with full, none with minimal if absent"
      ),
      Flag.optional
    ),
    install: Flag.Boolean("install").pipe(
      Flag.withDescription("Run npm install too"),
      Flag.optional
    ),
    name: Argument.String("name").pipe(
      Argument.withDescription("The name of the service, or the path of its folder"),
      Argument.optional
    ),
    package: Flag.String("package").pipe(
      Flag.withMetavar("SPEC"),
      Flag.withDescription(
        "The version of flange, or the path of a packed one; the version of this command if absent"
      ),
      Flag.optional
    ),
    template: Flag.String("template").pipe(
      Flag.withDescription(
        "minimal, api, full, or a package or file that exports a template; api if absent"
      ),
      Flag.optional
    )
  },
  Effect.fn(function* (line) {
    const { canPrompt } = yield* TerminalCapabilities
    const argument = yield* Option.match(line.name, {
      onNone: () => (canPrompt ? Output.diverted(askName) : noName),
      onSome: Effect.succeed
    })
    const { folder, name } = yield* Name.place(argument)
    yield* Folder.checkFree(folder)
    const flange = yield* Flange.spec(folder, Option.getOrUndefined(line.package))
    const template = yield* Load.load(
      yield* Option.match(line.template, {
        onNone: () => (canPrompt ? Output.diverted(askTemplate) : Effect.succeed("api")),
        onSome: Effect.succeed
      })
    )
    const known = yield* given(line.answer, { auth: line.auth, db: line.db })
    const answers = yield* Output.diverted(Answers.of(template, known, canPrompt))
    const files = yield* Effect.try({
      catch: (cause) =>
        new CommandError({
          cause,
          exitCode: 1,
          reason: `The template cannot make its files: ${sentenceOf(cause)}`
        }),
      try: () => template.files({ answers, flange, name })
    })
    const installs = yield* Option.match(line.install, {
      onNone: () =>
        canPrompt
          ? Output.diverted(Prompt.Confirm({ initial: true, message: "Run npm install?" }))
          : Effect.succeed(false),
      onSome: Effect.succeed
    })
    yield* Folder.write(folder, files)
    if (installs) yield* Install.install(folder)
    const path = relative(process.cwd(), folder)
    yield* Output.lines([
      `${name} has ${Object.keys(files).length} files.`,
      "",
      ...(path === "" ? [] : [`  cd ${path}`]),
      ...(installs ? [] : ["  npm install"]),
      "  npm start",
      "  npm test"
    ])
  })
).pipe(
  Command.withDescription(
    "Create a service that passes its own checks. In a terminal, ask what the command line leaves open"
  ),
  Command.withShortDescription("Create a service"),
  Command.withExamples([
    { command: "flange new shop", description: "Ask in a terminal, or take the defaults" },
    {
      command: "flange new shop --template full --db postgres --auth jwt",
      description: "Ask only whether to install"
    },
    {
      command: "flange new shop --template @acme/flange --answer team=platform",
      description: "The template of an organisation"
    }
  ])
)

/** The command `flange`: its own commands, and those that the plugins of the app bring. */
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { nearest } from "../Config/Nearest.ts"
import type * as AppDefinition from "../Plugin/AppDefinition.ts"
import * as Cli from "../Plugin/Cli.ts"
import * as Contribution from "../Plugin/Contribution.ts"
import { version } from "../Plugin/Version.ts"
import * as NodeVersion from "../Server/Listener/NodeVersion.ts"
import * as AppFile from "./AppFile.ts"
import { AppFlag } from "./AppFlag.ts"
import * as CurrentApp from "./CurrentApp.ts"
import * as Failure from "./Failure.ts"

/**
 * The commands of Flange, by their names. Each is loaded when it is called: `flange new` runs on
 * versions of Node that are too old for the others.
 */
const own: Readonly<Record<string, Cli.LazyCommand["load"]>> = {
  action: () => import("./Commands/ActionCommand.ts"),
  build: () => import("./Commands/BuildCommand.ts"),
  client: () => import("./Commands/ClientCommand.ts"),
  config: () => import("./Commands/ConfigCommand.ts"),
  dev: () => import("./Commands/DevCommand.ts"),
  doctor: () => import("./Commands/DoctorCommand.ts"),
  generate: () => import("./Commands/GenerateCommand.ts"),
  new: () => import("./Commands/NewCommand.ts"),
  openapi: () => import("./Commands/OpenApiCommand.ts"),
  plugins: () => import("./Commands/PluginsCommand.ts"),
  repl: () => import("./Commands/ReplCommand.ts"),
  routes: () => import("./Commands/RoutesCommand.ts")
}

const description = `Tools for Flange apps. Plugins of the app bring further commands, such as migrate.

The result goes to stdout. Logs, progress and errors go to stderr.

Exit codes: 0 done; 1 the command failed, or a check found differences; 2 an argument, or a file that it names, cannot be used, and nothing was done; 130 interrupted.`

/** The batteries that bring commands, for the message about a command that is missing. */
const homes: Readonly<Record<string, string>> = { migrate: "Database.plugin of flange/Database" }

/** Runs a command line. Returns its exit code. */
export const run = (
  args: ReadonlyArray<string>
): Effect.Effect<number, never, Command.Environment> =>
  Effect.gen(function* () {
    const line = read(args)
    // Otherwise the first module that an old Node cannot load would fail with an error of its syntax.
    const problem = runsAnywhere(line) ? undefined : NodeVersion.problem(process.versions.node)
    if (problem !== undefined) return yield* new Cli.CommandError({ exitCode: 1, reason: problem })
    const brought = yield* broughtFor(line)
    const commands = yield* Effect.forEach(ownFor(line), (load) => Effect.promise(load))
    const flange = Command.make("flange").pipe(
      Command.withDescription(description),
      Command.withShortDescription("Tools for Flange apps"),
      Command.withSubcommands([...commands.map(({ command }) => command), ...brought.commands]),
      Command.withGlobalFlags([AppFlag])
    )
    // The commands of plugins use what `Cli.make` allows.
    const running = Command.runWith(flange, { version })(args) as Effect.Effect<
      void,
      unknown,
      Cli.CurrentApp | Command.Environment
    >
    yield* Effect.provideService(running, Cli.CurrentApp, brought.current)
  }).pipe(
    Effect.provideService(CliOutput.Presenter, presenter),
    Effect.exit,
    Effect.flatMap(exitCodeOf)
  )

/** The parts of a command line that say which app is needed. */
interface Line {
  readonly app: Option.Option<string>
  /** Whether only the version of Flange is asked for. */
  readonly asksVersion: boolean
  /** Whether the commands themselves are asked for. */
  readonly listsCommands: boolean
  /** The name of the command; undefined if there is none. */
  readonly name: string | undefined
}

/** The flags before a command that have a value. */
const valued = ["--app", "--completions", "--log-level"]

const read = (args: ReadonlyArray<string>): Line => {
  const at = args.findIndex(
    (arg, index) => !arg.startsWith("-") && !valued.includes(args[index - 1] ?? "")
  )
  const equals = args.find((arg) => arg.startsWith("--app="))
  const separate = args.includes("--app") ? args[args.indexOf("--app") + 1] : undefined
  const before = at === -1 ? args : args.slice(0, at)
  const listsCommands = before.some((arg) => /^(?:-h|--help|--completions(?:=.*)?)$/.test(arg))
  const hasVersion = args.some((arg) => arg === "-v" || arg === "--version")
  return {
    app: Option.fromUndefinedOr(equals?.slice("--app=".length) ?? separate),
    asksVersion: at === -1 && hasVersion && !listsCommands,
    listsCommands,
    name: at === -1 ? undefined : args[at]
  }
}

/** Whether a version of Node that is too old for apps is new enough. */
const runsAnywhere = ({ asksVersion, name }: Line): boolean => asksVersion || name === "new"

/** Returns the commands of Flange that the command line needs. */
const ownFor = ({ asksVersion, name }: Line): ReadonlyArray<Cli.LazyCommand["load"]> =>
  Object.entries(own)
    .filter(([each]) => (name === undefined && !asksVersion) || name === each)
    .map(([, load]) => load)

/** The commands of an app. */
interface Brought {
  readonly commands: ReadonlyArray<Command.Command.Any>
  readonly current: Cli.CurrentAppShape
}

const nothing: Brought = {
  commands: [],
  // Only the commands of an app use it.
  current: CurrentApp.make({ "~flange/Error": undefined, config: {}, id: "none", plugins: [] })
}

/** Returns the commands of the app if the command line may need them. */
const broughtFor = (line: Line): Effect.Effect<Brought, Cli.CommandError> => {
  const { app: file, listsCommands, name } = line
  if (name !== undefined && Object.hasOwn(own, name)) {
    return Effect.succeed(nothing)
  }
  const loaded = Effect.flatMap(AppFile.load(file), (app) =>
    Effect.map(commandsOf(app), (commands) => ({ app, commands }))
  )
  const brought = Effect.map(loaded, ({ app, commands }) => ({
    commands,
    current: CurrentApp.make(app)
  }))
  if (name === undefined) {
    if (!listsCommands && Option.isNone(file)) return Effect.succeed(nothing)
    if (Option.isNone(file) && Option.isNone(AppFile.found())) return Effect.succeed(nothing)
    return Effect.catch(brought, ({ reason }) =>
      Effect.as(Console.error(`The commands of the app are left out. ${reason}`), nothing)
    )
  }
  if (Option.isNone(file) && Option.isNone(AppFile.found())) {
    const why = `flange has no command of this name, and no app was found in ${process.cwd()} whose plugins could bring it.`
    return Effect.fail(unknown(name, [], why, "Name the file of the app: --app src/app.ts."))
  }
  return Effect.flatMap(loaded, ({ app, commands }) => {
    if (commands.some((command) => command.name === name)) {
      return Effect.succeed({ commands, current: CurrentApp.make(app) })
    }
    const why = `neither flange nor a plugin of the app "${app.id}" has it.`
    const home = homes[name]
    const advice =
      home === undefined
        ? "A plugin of the app can bring it: see Cli.make."
        : `Add ${home} to the app.`
    return Effect.fail(unknown(name, commands, why, advice))
  })
}

const unknown = (
  name: string,
  commands: ReadonlyArray<Command.Command.Any>,
  why: string,
  advice: string
): Cli.CommandError => {
  const names = [...Object.keys(own), ...commands.map((command) => command.name)].sort()
  const near = nearest(name, names)
  return new Cli.CommandError({
    exitCode: 2,
    reason: `There is no command "${name}": ${why} ${near === undefined ? advice : `Did you mean "${near}"?`} The commands are: ${names.join(", ")}.`
  })
}

/** Loads the commands that the plugins of an app bring. */
const commandsOf = (
  app: AppDefinition.Any
): Effect.Effect<ReadonlyArray<Command.Command.Any>, Cli.CommandError> =>
  Effect.gen(function* () {
    const owners = new Map<string, string>(Object.keys(own).map((name) => [name, "flange"]))
    const found: Array<Command.Command.Any> = []
    for (const { id, manifest } of app.plugins) {
      for (const contribution of manifest.contributions.filter(Contribution.isOpen)) {
        if (contribution.kind !== Cli.kind.name) continue
        const { name } = contribution
        const owner = owners.get(name)
        if (owner !== undefined) {
          return yield* new Cli.CommandError({
            exitCode: 2,
            reason: `The command "${name}" is brought by the plugin "${id}" and by ${owner === "flange" ? "flange itself" : `the plugin "${owner}"`}. Rename one of them.`
          })
        }
        owners.set(name, id)
        // Contributions of a kind are made by the kind, which holds their types.
        const { load } = contribution.data as Cli.LazyCommand
        found.push(yield* loadCommand(name, id, load))
      }
    }
    return found
  })

const loadCommand = (name: string, plugin: string, load: Cli.LazyCommand["load"]) =>
  Effect.map(
    Effect.tryPromise({
      catch: (cause) =>
        new Cli.CommandError({
          cause,
          exitCode: 2,
          reason: `The command "${name}" of the plugin "${plugin}" cannot be loaded: ${Failure.sentenceOf(cause)}`
        }),
      try: load
    }),
    ({ command }) => command
  )

/** Requested help is a result. Everything else that the parser shows is not. */
const presenter: CliOutput.Presenter = {
  present: (event) =>
    Effect.gen(function* () {
      if (event._tag === "Version" || (event._tag === "Help" && event.reason === "Requested")) {
        return yield* CliOutput.defaultPresenter.present(event)
      }
      const formatter = yield* CliOutput.Formatter
      if (event._tag === "Help") return yield* Console.error(formatter.formatHelpDoc(event.helpDoc))
      yield* Console.error(formatter.formatErrors(event.errors))
      return yield* Console.error(`\nHelp: ${event.commandPath.join(" ")} --help`)
    })
}

const exitCodeOf = (exit: Exit.Exit<void, unknown>): Effect.Effect<number> => {
  if (Exit.isSuccess(exit)) return Effect.succeed(0)
  if (Exit.hasInterrupts(exit) && !Exit.hasFails(exit)) return Effect.succeed(130)
  const { cause } = exit
  const { error, exitCode, text } = Failure.of(cause)
  // The parser has shown its own errors.
  return CliError.isCliError(error) ? Effect.succeed(2) : Effect.as(Console.error(text), exitCode)
}

/** All checks of `flange doctor`, in their order. */
import { existsSync } from "node:fs"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as App from "../../App.ts"
import { inspect, type Inspection } from "../../Config/Load.ts"
import * as Doctor from "../../Plugin/Doctor.ts"
import * as ConfiguredListener from "../../Server/Listener/ConfiguredListener.ts"
import * as Ports from "../../Server/Ports.ts"
import { ServerConfig } from "../../Server/ServerConfig.ts"
import * as AppFile from "../AppFile.ts"
import { assemble } from "../Assembled.ts"
import * as Inspected from "../Config/Inspected.ts"
import * as Changes from "../Routes/Changes.ts"
import * as Lock from "../Routes/Lock.ts"
import * as Check from "./Check.ts"
import * as Clock from "./Clock.ts"
import * as Installation from "./Installation.ts"
import * as Machine from "./Machine.ts"
import * as Reachability from "./Reachability.ts"
import * as Repository from "./Repository.ts"
import * as Settings from "./Settings.ts"
import * as TypeScript from "./TypeScript.ts"

type Server = (typeof ServerConfig)["Service"]

/** The connections that a server takes if its section is not known. */
const usualConnections = 10_000

/** Returns the section `server`; undefined if it is refused. */
const serverOf = ({ services }: Inspection): Server | undefined =>
  // The value of a section has the type of the section.
  services.get(ServerConfig.key) as Server | undefined

/** Checks of the machine and of the project. They need no app. */
const around = (folder: string, settings: Inspection) => [
  ...Installation.checks(folder),
  TypeScript.check(folder),
  ...Repository.checks(folder),
  ...Clock.checks(folder),
  ...Machine.checks(folder, serverOf(settings)?.maxConnections ?? usualConnections),
  { name: "environment", run: Effect.sync(() => Settings.environment(settings)) }
]

const plugins = (app: App.Any) =>
  Effect.match(assemble(app), {
    onFailure: ({ problems }) =>
      problems.map(({ kind, message }) =>
        Doctor.failed(`${kind}: ${message}`, "Repair the list of plugins in App.make.")
      ),
    onSuccess: ({ plugins: { length } }) => [Doctor.ok(`The ${length} plugins fit together.`)]
  })

const routes = (app: App.Any) =>
  Effect.match(Lock.read, {
    onFailure: ({ message }) =>
      existsSync(Lock.file)
        ? Doctor.failed(message, "Write it again: flange routes --write")
        : Doctor.warning(
            `There is no ${Lock.file}: no review sees a route that loses its protection.`,
            "Make it and commit it: flange routes --write"
          ),
    onSuccess: (lock) => {
      const changes = Changes.of(lock, Lock.of(App.describe(app)))
      if (changes.length === 0) return Doctor.ok(`The routes are those of ${Lock.file}.`)
      const weaker = changes.filter(({ kind }) => kind === "weaker").length
      const remedy =
        "Read the differences: flange routes --check. If they are meant: flange routes --write"
      return weaker > 0
        ? Doctor.failed(`Less protects the routes than in ${Lock.file}, in ${weaker} ways.`, remedy)
        : Doctor.warning(`The routes differ from ${Lock.file}.`, remedy)
    }
  })

const port = (server: Server) =>
  Effect.match(ConfiguredListener.listen.probe!(server), {
    onFailure: ({ message }) =>
      Doctor.warning(
        message,
        "If this app does not listen there, stop the process that does, or set the variable PORT"
      ),
    onSuccess: () => Doctor.ok("The address on which the app listens is free.")
  })

/** Checks of the ports that plugins open beside that of the app. */
const pluginPorts = (app: App.Any, { services }: Inspection) =>
  Ports.of(app.plugins).map((owned) => {
    const { name } = owned.port
    const found = Effect.match(
      Ports.probe([owned], ConfiguredListener.listen, Context.makeUnsafe<unknown>(services)),
      {
        onFailure: ({ message }) =>
          Doctor.warning(
            message,
            `If this app does not listen there, stop the process that does, or set ${name}.port`
          ),
        onSuccess: () => Doctor.ok(`The address of the port "${name}" is free.`)
      }
    )
    return { name: `port.${name}`, run: found }
  })

/** Checks of an app that nothing has started. */
const ofApp = (folder: string, app: App.Any, inspected: Inspected.Inspected) => {
  const server = serverOf(inspected)
  return [
    { name: "configuration", run: Effect.sync(() => Settings.configuration(inspected)) },
    Settings.secrets(folder, inspected),
    { name: "plugins", run: plugins(app) },
    { name: "routes", run: routes(app) },
    ...(server === undefined ? [] : [{ name: "port", run: port(server) }]),
    // A port reads its place from sections of its plugin.
    ...(inspected.problems.length === 0 ? pluginPorts(app, inspected) : [])
  ]
}

const runAll = <R>(checks: ReadonlyArray<Check.Check<R>>) =>
  Effect.map(
    Effect.forEach(checks, (check) => Check.run(check)),
    (results) => results.flat()
  )

/** The checks without which an app does not start. */
const needed: ReadonlySet<string> = new Set(["configuration", "environment", "plugins"])

/**
 * Runs all checks of the working directory and of its app. Without an app, and with one that cannot
 * be loaded, only those of the machine and of the project run. Fails if the named file does not
 * exist.
 */
export const results = (named: Option.Option<string>) =>
  Effect.gen(function* () {
    const folder = process.cwd()
    const loaded = yield* Effect.result(AppFile.load(named))
    if (Result.isFailure(loaded)) {
      if (Option.isSome(named) && !existsSync(named.value)) return yield* loaded.failure
      const { message } = loaded.failure
      const isPresent = Option.isSome(named) || Option.isSome(AppFile.found())
      const finding = isPresent
        ? Doctor.failed(message, "Repair the file: the checks of the app have not run.")
        : Doctor.skipped(message)
      const settings = yield* inspect({
        envFiles: true,
        sections: [ServerConfig],
        variables: process.env
      })
      return [...(yield* runAll(around(folder, settings))), { check: "app", ...finding }]
    }
    const app = loaded.success
    const inspected = yield* Inspected.of(app)
    const found = [
      ...(yield* runAll(around(folder, inspected))),
      { check: "app", ...Doctor.ok(`The app is "${app.id}".`) },
      ...(yield* runAll(ofApp(folder, app, inspected)))
    ]
    const isRefused = found.some(({ check, state }) => state === "failed" && needed.has(check))
    const started = isRefused
      ? [{ check: "start", ...Doctor.skipped("The app is refused before it starts.") }]
      : yield* Reachability.results(app)
    return [...found, ...started]
  })

/** The errors of the phases that belong to the app and not to one plugin. */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Runtime from "effect/Runtime"

/** One reason why a list of plugins cannot be an app. */
export interface AssemblyProblem {
  readonly kind:
    | "AccessMismatch"
    | "Contradiction"
    | "Cycle"
    | "DuplicateGroup"
    | "DuplicateId"
    | "DuplicateService"
    | "ImpossibleReply"
    | "ImpossibleRequest"
    | "InvalidDocument"
    | "InvalidHeader"
    | "InvalidJob"
    | "InvalidRateLimit"
    | "InvalidRoute"
    | "InvalidTimeLimit"
    | "MissingService"
    | "RepeatedWorker"
    | "RepeatedWorkflow"
    | "RouteConflict"
    | "UncacheableReply"
    | "UndecidedTransaction"
    | "UndeclaredExtension"
    | "UnfitHandlers"
    | "UnfitRole"
    | "UnguardedEndpoint"
    | "UnkeyedEndpoint"
    | "UnknownTarget"
    | "UntrustedMarkup"
  /** What is wrong, and what to write instead. */
  readonly message: string
  /** The ids of the plugins that take part in the problem. */
  readonly plugins: ReadonlyArray<string>
}

/**
 * The plugins do not fit together. Holds all problems. Nothing was acquired, or it is released: a
 * handler that is missing and a service that no list names are found when plugins are acquired.
 */
export class AssemblyError extends Data.TaggedError("AssemblyError")<{
  readonly app: string
  readonly problems: ReadonlyArray<AssemblyProblem>
}> {
  override get message(): string {
    return [
      `App "${this.app}" cannot be assembled:`,
      ...this.problems.map(({ kind, message }) => `  - ${kind}: ${message}`)
    ].join("\n")
  }
}

/** The listener could not be bound. Every plugin is released. */
export class BindError extends Data.TaggedError("BindError")<{
  /** The address at which the listener should listen. */
  readonly address: string
  readonly cause: unknown
  /** The operating system's code, such as `EADDRINUSE`, or `TLS` for certificates that cannot be used. */
  readonly code: string | undefined
  /** The port of the same app that has taken the address, such as `admin`; undefined for none. */
  readonly heldBy?: string | undefined
  /** The configuration section of a port; undefined for the listener of the app. */
  readonly section?: string | undefined
}> {
  override get message(): string {
    const { heldBy, section } = this
    const at = section === undefined ? this.address : `${this.address} for the port "${section}"`
    const [host, port] =
      section === undefined ? ["HOST", "PORT"] : [`${section}.host`, `${section}.port`]
    switch (this.code) {
      case "EACCES":
        return `Not allowed to listen on ${at}. Choose a port above 1023, or grant the process the right to bind it.`
      case "EADDRINUSE":
        if (heldBy !== undefined) {
          return `Cannot listen on ${at}: the port "${heldBy}" of this app listens there. Set ${port} or ${heldBy}.port to another port.`
        }
        return `Cannot listen on ${at}: something else listens there. Stop it, or set ${port} to a free port.`
      case "EADDRNOTAVAIL":
      case "ENOTFOUND":
        return `Cannot listen on ${at}: this machine has no such address. Set ${host} to one it has, such as 127.0.0.1.`
      case "TLS":
        return `Cannot serve TLS on ${at}: ${String(this.cause)}`
      default:
        return `Cannot listen on ${at}: ${this.code ?? String(this.cause)}.`
    }
  }
}

/**
 * Finalizers or phases of plugins did not end within `app.releaseTimeout` when the app stopped.
 * Everything else was released. Closing the scope of an app dies with this error; the exit code of
 * the process is 70, `EX_SOFTWARE` of sysexits.h.
 */
export class ReleaseTimeoutError extends Data.TaggedError("ReleaseTimeoutError")<{
  readonly app: string
  /** The finalizers and phases that did not end, each with its plugin, and the work that ran then. */
  readonly held: ReadonlyArray<string>
  readonly limit: Duration.Duration
}> {
  override readonly [Runtime.errorExitCode] = 70

  override get message(): string {
    return [
      `App "${this.app}" stopped, but this did not end within ${Duration.format(this.limit)}:`,
      ...this.held.map((each) => `  - ${each}`),
      "Find out what it waits for, or raise `app.releaseTimeout`."
    ].join("\n")
  }
}

/**
 * A plugin did not finish its acquire, bind or ready phase within its limit. Every plugin that
 * was acquired is released.
 */
export class StartTimeoutError extends Data.TaggedError("StartTimeoutError")<{
  readonly limit: Duration.Duration
  readonly phase: "acquire" | "bind" | "ready"
  readonly plugin: string
}> {
  override get message(): string {
    return `Plugin "${this.plugin}" did not finish its ${this.phase} phase within ${Duration.format(this.limit)}. Find out what it waits for, or raise \`startTimeout\` of the plugin or \`app.startTimeout\`.`
  }
}

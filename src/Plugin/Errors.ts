/** The failures of the phases that belong to the app, not to a plugin. */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import type { Problem } from "./Order.ts"

/** The plugins do not fit. Nothing was acquired. Holds every problem at once. */
export class AssemblyError extends Data.TaggedError("AssemblyError")<{
  readonly app: string
  readonly problems: ReadonlyArray<Problem>
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
  /** Where it tried to listen. */
  readonly address: string
  readonly cause: unknown
  /** The operating system's code, such as `EADDRINUSE`. */
  readonly code: string | undefined
}> {
  override get message(): string {
    switch (this.code) {
      case "EACCES":
        return `Not allowed to listen on ${this.address}. Choose a port above 1023, or grant the process the right to bind it.`
      case "EADDRINUSE":
        return `Cannot listen on ${this.address}: something else listens there. Stop it, or set PORT to a free port.`
      case "EADDRNOTAVAIL":
      case "ENOTFOUND":
        return `Cannot listen on ${this.address}: this machine has no such address. Set HOST to one it has, such as 127.0.0.1.`
      default:
        return `Cannot listen on ${this.address}: ${this.code ?? String(this.cause)}.`
    }
  }
}

/** A plugin took longer to start than it may. Everything acquired before it is released. */
export class StartTimeoutError extends Data.TaggedError("StartTimeoutError")<{
  readonly limit: Duration.Duration
  readonly phase: "acquire" | "ready"
  readonly plugin: string
}> {
  override get message(): string {
    return `Plugin "${this.plugin}" did not finish its ${this.phase} phase within ${Duration.format(this.limit)}. Find out what it waits for, or raise \`startTimeout\` of the plugin or \`app.startTimeout\`.`
  }
}

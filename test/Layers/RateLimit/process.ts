/** The app of `replica.ts` as a process. */
import { node, type Process } from "../../examples/process.ts"

/** A running process. */
export interface Replica extends Process {
  /** `127.0.0.1:8080`. */
  readonly address: string
  /** Ends it and waits for its exit code. */
  readonly stop: () => Promise<number | null>
}

/** Starts the app and waits until it listens. */
export const startReplica = async (env: Record<string, string>): Promise<Replica> => {
  const own = node(["test/Layers/RateLimit/replica.ts"], { HOST: "127.0.0.1", PORT: "0", ...env })
  for (;;) {
    const found = /^listening http:\/\/(\S+)$/m.exec(own.output())
    if (found !== null) {
      return {
        ...own,
        address: found[1]!,
        stop: () => {
          own.child.kill("SIGTERM")
          return own.exitCode
        }
      }
    }
    if (own.child.exitCode !== null) throw new Error(own.output())
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

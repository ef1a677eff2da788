/** The setting `server.workers`: the processes that serve an app together. */
import { availableParallelism } from "node:os"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { ConfigError, problemAt } from "../../../Config/ConfigError.ts"
import { AppConfig } from "../../../Plugin/AppConfig.ts"
import { ServerConfig } from "../../ServerConfig.ts"
import { CurrentPart } from "./MainProcess.ts"

/** Returns how many workers the setting means. */
export const countOf = (workers: "auto" | number): number =>
  workers === "auto" ? availableParallelism() : workers

/**
 * Runs `probe` and becomes the supervisor, if there are workers and this process is to supervise them.
 * A worker does not probe: its listeners share what the supervisor has probed.
 *
 * Fails with `ConfigError` if something other than `App.run` started an app that has workers, or if this
 * process is a worker of something else.
 */
export const gate = <E>(
  context: Context.Context<unknown>,
  plugins: number,
  probe: Effect.Effect<void, E>
): Effect.Effect<void, ConfigError | E> =>
  Effect.gen(function* () {
    const part = yield* CurrentPart
    const count = countOf(Context.getUnsafe(context, ServerConfig).workers)
    if (part === "worker") return
    if (part === "refused" && count > 1)
      return yield* refused(
        count,
        "only App.run starts workers: each of them runs the program again. Call App.run in the main file"
      )
    yield* probe
    if (typeof part === "string" || count < 2) return
    const [{ cluster }, { supervise }] = yield* Effect.promise(() =>
      Promise.all([import("./Child.ts"), import("./Supervisor.ts")])
    )
    const start = yield* Effect.promise(cluster)
    if (start === undefined) {
      return yield* refused(
        count,
        "this process is a worker of node:cluster itself. Start it alone, as pm2 does in its fork mode"
      )
    }
    const { drainDelay, drainTimeout, releaseTimeout } = Context.getUnsafe(context, AppConfig)
    return yield* supervise({
      atOnce: availableParallelism(),
      count,
      // A worker that can still run code has ended by then.
      limit: Duration.sum(
        Duration.sum(drainDelay, drainTimeout),
        Duration.times(releaseTimeout, plugins + 2)
      ),
      main: part,
      report: (text) => process.stderr.write(`${text}\n`),
      start
    })
  })

const refused = (count: number, why: string) =>
  Effect.fail(
    new ConfigError({
      problems: [
        problemAt(
          "server.workers",
          "the configuration",
          "1",
          `There would be ${count} workers, and ${why}, or set server.workers to 1.`
        )
      ]
    })
  )

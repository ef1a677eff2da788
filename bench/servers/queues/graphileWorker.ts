// graphile-worker with its local queue and batches of completions.
import { Logger, makeWorkerUtils, run, runMigrations } from "graphile-worker"
import type { Kind } from "./Kind.ts"

const logger = new Logger(() => () => undefined)

export const kind: Kind = {
  produce: async ({ database }) => {
    await runMigrations({ connectionString: database, logger })
    const utils = await makeWorkerUtils({ connectionString: database, logger })
    return {
      close: async () => {
        await utils.release()
      },
      many: async (all) => {
        await utils.addJobs(all.map((payload) => ({ identifier: "bench", payload })))
      },
      one: async (data) => {
        await utils.addJob("bench", data)
      }
    }
  },
  work: async ({ concurrency, database }, handle) => {
    await run({
      logger,
      noHandleSignals: true,
      preset: {
        worker: {
          completeJobBatchDelay: 0,
          concurrentJobs: concurrency,
          connectionString: database,
          failJobBatchDelay: 0,
          localQueue: { refetchDelay: { durationMs: 10 }, size: 500 },
          maxPoolSize: 10
        }
      },
      taskList: { bench: (payload) => handle(payload as object) }
    })
  }
}

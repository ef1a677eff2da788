// pg-boss: NOTIFY, batches, and bursts while batches are full.
import { PgBoss } from "pg-boss"
import type { Kind } from "./Kind.ts"

const name = "bench"

const start = async (url: string) => {
  const boss = new PgBoss({ connectionString: url, max: 10, useListenNotify: true })
  boss.on("error", (error) => console.error(error))
  await boss.start()
  await boss.createQueue(name, { notify: true })
  return boss
}

export const kind: Kind = {
  produce: async ({ database }) => {
    const boss = await start(database)
    return {
      close: () => boss.stop({ graceful: false }),
      many: async (all) => {
        await boss.insert(
          name,
          all.map((data) => ({ data }))
        )
      },
      one: async (data) => {
        await boss.send(name, data)
      }
    }
  },
  work: async ({ concurrency, database }, handle) => {
    const boss = await start(database)
    await boss.work(
      name,
      { batchSize: concurrency * 10, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 },
      async (jobs) => {
        // The handler of a batch runs as many as the others have at the same time.
        const rest = [...jobs]
        const next = async (): Promise<void> => {
          for (let job = rest.pop(); job !== undefined; job = rest.pop()) {
            await handle(job.data as object)
          }
        }
        await Promise.all(Array.from({ length: concurrency }, next))
      }
    )
  }
}

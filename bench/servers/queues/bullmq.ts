// BullMQ, which removes completed jobs, as the others do.
import { Queue, Worker } from "bullmq"
import type { Kind } from "./Kind.ts"

const connection = (url: string) => {
  const { hostname, port } = new URL(url)
  return { host: hostname, maxRetriesPerRequest: null, port: Number(port) }
}

const options = { removeOnComplete: true }

export const kind: Kind = {
  produce: async ({ redis }) => {
    const queue = new Queue("bench", { connection: connection(redis) })
    await queue.waitUntilReady()
    return {
      close: () => queue.close(),
      many: async (all) => {
        await queue.addBulk(all.map((data) => ({ data, name: "bench", opts: options })))
      },
      one: async (data) => {
        await queue.add("bench", data, options)
      }
    }
  },
  work: async ({ concurrency, redis }, handle) => {
    const worker = new Worker("bench", (job) => handle(job.data as object), {
      concurrency,
      connection: connection(redis)
    })
    worker.on("error", (error) => console.error(error))
    await worker.waitUntilReady()
  }
}

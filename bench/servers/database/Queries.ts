import type { Item } from "./Contract.ts"

/** What a driver does for the server of Fastify. */
export interface Queries {
  readonly all: (text: string, values: ReadonlyArray<number | string>) => Promise<Array<Item>>
  readonly transaction: <A>(run: (queries: Pick<Queries, "all">) => Promise<A>) => Promise<A>
}

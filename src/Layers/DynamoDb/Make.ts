/** The service over a backend. */
import * as Effect from "effect/Effect"
import type { Backend } from "./Backend.ts"
import type { Shape } from "./DynamoDb.ts"
import * as Observed from "./Observed.ts"
import * as OpenTable from "./OpenTable.ts"
import * as Transaction from "./Transaction.ts"

/** How the service names its tables and repeats batches. */
export interface Options {
  /** How many requests of a batch in a row may have no effect. */
  readonly attempts: number
  /** What the names of all tables begin with. */
  readonly prefix: string
}

/** Creates the service. */
export const make = (plain: Backend, options: Options): Effect.Effect<Shape> =>
  Effect.map(Observed.make(plain), (backend) => {
    const opened = new Set<string>()
    return {
      create: ({ definition }) =>
        backend.create({ ...definition, name: `${options.prefix}${definition.name}` }),
      ping: Effect.suspend(() => backend.ping([...opened])),
      table: (table) => {
        const open = OpenTable.make(backend, options, table)
        opened.add(open.name)
        return open
      },
      ...Transaction.make(backend)
    }
  })

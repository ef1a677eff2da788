/** Pages of a list: `?page=2&limit=50`. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The page size if the query has no `limit`. */
export const defaultLimit = 50

/** The largest page size. A larger `limit` is refused. */
export const maxLimit = 500

const page = Schema.Int.pipe(
  Schema.check(Schema.isGreaterThanOrEqualTo(1)),
  Schema.withDecodingDefaultKey(Effect.succeed(1))
)

const limit = Schema.Int.pipe(
  Schema.check(Schema.isBetween({ maximum: maxLimit, minimum: 1 })),
  Schema.withDecodingDefaultKey(Effect.succeed(defaultLimit))
)

/**
 * The query of an endpoint that returns pages: `page` from 1, `limit` from 1 to 500, 50 by
 * default. Other values are answered with 400. A typed client may leave out both.
 */
export const query = { limit, page }

/** The decoded `query`. */
export interface Query {
  readonly limit: number
  readonly page: number
}

/** Returns the number of items before a page. */
export const offset = ({ limit, page }: Query): number => (page - 1) * limit

/** The schema of one page of items. */
export const Page = <Item extends Schema.Top>(item: Item) =>
  Schema.Struct({
    items: Schema.Array(item),
    limit: Schema.Int,
    page: Schema.Int,
    /** How many items there are on all pages. */
    total: Schema.Int
  })

/** One page of items. */
export interface Page<Item> {
  readonly items: ReadonlyArray<Item>
  readonly limit: number
  readonly page: number
  readonly total: number
}

/**
 * Creates a page.
 *
 * @example
 * ```ts
 * import { Pagination } from "flange/Contract"
 *
 * const page = Pagination.make({ limit: 2, page: 2 }, ["c"], 3)
 * page.total // => 3
 * Pagination.offset(page) // => 2
 * ```
 */
export const make = <Item>(
  { limit, page }: Query,
  items: ReadonlyArray<Item>,
  total: number
): Page<Item> => ({ items, limit, page, total })

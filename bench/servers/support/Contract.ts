/** What every server of the benchmark does: the same data, the same secret, the same limits. */

/** The only origin that CORS allows. */
export const origin = "https://app.example.com"

/** HS256: shared secret, issuer and audience of every token. */
export const jwt = {
  audience: "bench-api",
  issuer: "bench",
  secret: "a-benchmark-secret-of-more-than-32-bytes"
} as const

/** Per subject; so high that it never triggers while timing. The check of answers sets it low. */
export const rateLimit = {
  max: Number(process.env["BENCH_LIMIT"] ?? 1_000_000_000),
  windowMillis: 60_000
}

/** The scopes that the two routes of `production` ask for. */
export const scopes = { read: "items:read", write: "items:write" } as const

export interface Item {
  readonly createdAt: string
  readonly id: number
  readonly name: string
  readonly price: number
  readonly tags: ReadonlyArray<string>
}

/** What a client sends to make an item: name of 1 to 100 characters, price at least 0. */
export interface NewItem {
  readonly name: string
  readonly price: number
  readonly tags: ReadonlyArray<string>
}

const count = 1000

const items: ReadonlyArray<Item> = Array.from({ length: count }, (_, i) => ({
  createdAt: "2026-01-01T00:00:00.000Z",
  id: i + 1,
  name: `Item ${i + 1}`,
  price: (i + 1) * 10,
  tags: ["new", "sale"]
}))

/** The item with this id; ids are 1 to 1000. */
export const findItem = (id: number): Item | undefined => items[id - 1]

/** Makes an item and keeps nothing, so that memory says something of the server. */
export const createItem = (item: NewItem): Item => ({
  createdAt: "2026-01-01T00:00:00.000Z",
  id: count + 1,
  name: item.name,
  price: item.price,
  tags: item.tags
})

/** `GET /users/:id` */
export const user = (id: number, verbose: boolean | undefined) => ({
  id,
  name: `User ${id}`,
  verbose: verbose ?? false
})

/** `GET /json` */
export const hello = { message: "hello" } as const

/** One of the groups of `--routes N`: an endpoint with schemas of its own. */
export interface Resource {
  /** The field that only its reply has. */
  readonly field: string
  /** In front of the id. */
  readonly path: string
}

/** The groups of `--routes N`, with one endpoint each: `GET <path>/:id`, whose id is an integer. */
export const resources = (routes: number): ReadonlyArray<Resource> =>
  Array.from({ length: routes }, (_, i) => ({ field: `field${i}`, path: `/v1/resource${i}` }))

/** What the endpoint of a group replies. */
export const resource = ({ field, path }: Resource, id: number) => ({ id, [field]: path })

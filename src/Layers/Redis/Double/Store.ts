/** The keys of the double, with their times of expiry. */

/** The collections by their types. A sorted set has the score of each member. */
interface Collections {
  readonly hash: Map<string, string>
  readonly list: Array<string>
  readonly set: Set<string>
  readonly zset: Map<string, number>
}

type Value =
  | { readonly items: Collections[keyof Collections]; readonly type: keyof Collections }
  | { readonly text: string; readonly type: "string" }

/** An error reply. */
export class ErrorReply extends Error {}

/** The replies of the double have the forms of RESP 3, as node-redis decodes them. */
export type Reply =
  | number
  | ReadonlyArray<Reply>
  | string
  | { readonly [key: string]: string }
  | null

const empty: { readonly [Type in keyof Collections]: () => Collections[Type] } = {
  hash: () => new Map(),
  list: () => [],
  set: () => new Set(),
  zset: () => new Map()
}

const wrongType = () =>
  new ErrorReply("WRONGTYPE Operation against a key holding the wrong kind of value")

/** The keys of a server at a moment. */
export class Store {
  readonly #keys = new Map<string, { expires: number | undefined; value: Value }>()
  /** The time of the command that runs, in Unix milliseconds. */
  now = 0

  #live(key: string) {
    const found = this.#keys.get(key)
    if (found?.expires !== undefined && found.expires <= this.now) {
      this.#keys.delete(key)
      return undefined
    }
    return found
  }

  clear(): void {
    this.#keys.clear()
  }

  delete(key: string): boolean {
    return this.#live(key) !== undefined && this.#keys.delete(key)
  }

  /** Returns the value of any type. */
  peek(key: string): Value | undefined {
    return this.#live(key)?.value
  }

  /** Returns the collection of a key to read: an empty one if there is none. */
  read<Type extends keyof Collections>(key: string, type: Type): Collections[Type] {
    const value = this.peek(key)
    if (value === undefined) return empty[type]()
    if (value.type !== type || !("items" in value)) throw wrongType()
    return value.items as Collections[Type] // its type was compared
  }

  /** Changes the collection of a key. One that is empty afterwards is no key. */
  change<Type extends keyof Collections, A>(
    key: string,
    type: Type,
    change: (items: Collections[Type]) => A
  ): A {
    const items = this.read(key, type)
    const result = change(items)
    if ((Array.isArray(items) ? items.length : items.size) === 0) this.#keys.delete(key)
    else this.#keys.set(key, { expires: this.#live(key)?.expires, value: { items, type } })
    return result
  }

  /** Returns the keys that are not expired, in the order in which they were made. */
  names(): ReadonlyArray<string> {
    return [...this.#keys.keys()].filter((key) => this.#live(key) !== undefined)
  }

  text(key: string): string | undefined {
    const value = this.peek(key)
    if (value === undefined) return undefined
    if ("text" in value) return value.text
    throw wrongType()
  }

  setText(key: string, text: string, expires: number | undefined): void {
    this.#keys.set(key, { expires, value: { text, type: "string" } })
  }

  expiry(key: string): number | undefined {
    return this.#live(key)?.expires
  }

  /** Sets the time of expiry. Returns whether the key exists. */
  expire(key: string, expires: number | undefined): boolean {
    const found = this.#live(key)
    if (found === undefined) return false
    found.expires = expires
    return true
  }
}

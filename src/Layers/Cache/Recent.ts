/** What was read of the memory lately, so that a hit does not parse its text again. */
import type { CacheKey, Segment } from "./CacheKey.ts"
import * as Entry from "./Entry.ts"
import { longestRemembered, type Plan, type Records } from "./Records.ts"

/** The most units of all texts that are remembered. */
const most = 2 ** 20

/** Entries by their texts. The oldest go first. */
export class Recent {
  #length = 0
  readonly #entries = new Map<string, Entry.Entry>()
  readonly #plans = new WeakMap<CacheKey, { readonly plan: Plan; readonly tags: unknown }>()
  readonly #values = new WeakMap<
    Entry.Entry,
    { readonly schema: object; readonly value: unknown }
  >()

  /** Returns the entry in a text, the same object for the same text while it is remembered. */
  readonly parse = (text: string | undefined): Entry.Entry | undefined => {
    if (text === undefined) return undefined
    const known = this.#entries.get(text)
    if (known !== undefined) return known
    const entry = Entry.parse(text)
    if (entry === undefined || text.length > longestRemembered) return entry
    this.#entries.set(text, entry)
    this.#length += text.length
    for (const oldest of this.#entries.keys()) {
      if (this.#length <= most) break
      this.#entries.delete(oldest)
      this.#length -= oldest.length
    }
    return entry
  }

  /** Returns the plan of a key with these tags: the same object for the same objects. */
  plan(records: Records, key: CacheKey, tags: ReadonlyArray<Segment> | undefined): Plan {
    const known = this.#plans.get(key)
    if (known !== undefined && known.tags === tags) return known.plan
    const plan = records.plan(key, tags)
    this.#plans.set(key, { plan, tags })
    return plan
  }

  /** Returns the value of an entry that a schema has decoded, or decodes it. */
  value(entry: Entry.Entry, schema: object, decode: () => unknown): unknown {
    const known = this.#values.get(entry)
    if (known?.schema === schema) return known.value
    const value = decode()
    this.#values.set(entry, { schema, value })
    return value
  }
}

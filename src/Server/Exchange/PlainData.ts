/**
 * Logged values as plain data. Whatever a value does when it is read, the data is bounded,
 * has no cycles, and writing it as JSON does not throw.
 */
import { redact } from "effect/Redactable"
import * as Redacted from "effect/Redacted"
import * as SchemaIssue from "effect/SchemaIssue"
import * as Redaction from "./Redaction.ts"

/** A value that JSON can hold. */
export type Data =
  | boolean
  | number
  | ReadonlyArray<Data>
  | string
  | { readonly [name: string]: Data }
  | null

/**
 * An error as data: its own fields beside the fixed ones. A field that has the name of a fixed
 * one gets the prefix `field.`.
 */
export interface ErrorRecord {
  readonly [field: string]: Data
  readonly message: string
  /** Its name or tag. */
  readonly type: string
}

/** Whether data is an error. */
export const isErrorRecord = (data: Data): data is ErrorRecord =>
  typeof data === "object" && data !== null && "message" in data && "type" in data

/** How deep objects and causes are read. */
const maxDepth = 16

/** How many members of one object or list are read. */
const maxMembers = 100

/** How many objects one reader reads. */
const maxObjects = 1000

/** The longest text, and the longest name of a field, in UTF-16 units. */
const maxText = 16_384
const maxName = 256

/** How much text one reader returns. */
const maxCharacters = 65_536

const cut = (text: string, length: number): string =>
  text.length <= length
    ? text
    : `${text.slice(0, length)}… (${text.length - length} more characters)`

/** Shown for a value past a limit. */
const more = "…"

const unreadable = (error: unknown): string => {
  try {
    return `<unreadable: ${cut(String(error), maxName)}>`
  } catch {
    return "<unreadable>"
  }
}

/** The fields of an error that have a place of their own. */
const fixed: ReadonlySet<string> = new Set(["cause", "errors", "message", "name", "stack", "type"])

/** Whether a member of an error is an error with the same message and no other cause. */
const saysTheSame = (member: unknown, message: unknown, cause: unknown): boolean => {
  if (typeof member !== "object" || member === null || !isError(member)) return false
  const own = read(member, "cause")
  return read(member, "message") === message && (own === undefined || own === cause)
}

/** What is known of an error besides its own members. */
export interface Told {
  readonly message?: string | undefined
  readonly stack?: string | undefined
}

/** Reads the values of one log entry. Its limits hold for all of them together. */
export class Reader {
  readonly #ancestors: Array<object> = []
  #characters = maxCharacters
  #objects = maxObjects
  readonly #redaction: Redaction.Redaction

  constructor(redaction: Redaction.Redaction = Redaction.byDefault) {
    this.#redaction = redaction
  }

  /** Returns a text, cut to the limits, without secrets. */
  text(text: string): string {
    const result = this.#redaction.text(cut(text, Math.min(maxText, this.#characters)))
    this.#characters = Math.max(0, this.#characters - result.length)
    return result
  }

  /** Returns a value as data; undefined for `undefined` and functions, which JSON leaves out. */
  value(value: unknown): Data | undefined {
    switch (typeof value) {
      case "bigint":
        return this.text(`${value}n`)
      case "boolean":
        return value
      case "number":
        return Number.isFinite(value) ? value : String(value)
      case "object":
        return value === null ? null : this.#within(value, () => this.#object(value))
      case "string":
        return this.text(value)
      case "symbol":
        return this.text(String(value))
      default:
        return undefined
    }
  }

  /** Returns what was thrown as an error. What is told of it replaces its own. */
  error(thrown: unknown, told: Told = {}): ErrorRecord {
    const record =
      typeof thrown === "object" && thrown !== null
        ? this.#within(thrown, () => this.#error(thrown, told))
        : undefined
    if (typeof record === "object" && record !== null) return record as ErrorRecord
    const message = record ?? told.message ?? this.value(thrown) ?? ""
    return {
      type: "Error",
      message: this.text(String(message)),
      ...(told.stack === undefined ? {} : { stack: this.text(told.stack) })
    }
  }

  /** Returns the fields of an object, such as annotations. */
  fields(source: object): { readonly [name: string]: Data } {
    const fields: Record<string, Data> = Object.create(null)
    const names = Object.keys(source)
    for (const name of names.slice(0, maxMembers)) this.#field(fields, name, source, name)
    if (names.length > maxMembers) fields[more] = `${names.length - maxMembers} more`
    return fields
  }

  /** Returns the first items of a list of this size. */
  list(first: ReadonlyArray<unknown>, size = first.length): ReadonlyArray<Data> {
    const list = first.slice(0, maxMembers).map((item) => this.value(item) ?? null)
    // A pair such as those of `Object.entries`, an entry of a map, or names and values in turn.
    for (let i = 0; list.length % 2 === 0 && i < list.length; i += 2) {
      if (this.#isHidden(list[i])) list[i + 1] = Redaction.hidden
    }
    if (size > list.length) list.push(`${more} ${size - list.length} more`)
    return list
  }

  /** Holds cycles, depth and what reading the object throws. */
  #within(object: object, read: () => Data | undefined): Data | undefined {
    if (this.#ancestors.includes(object)) return "<circular>"
    if (this.#ancestors.length >= maxDepth || this.#objects <= 0) return more
    this.#objects--
    this.#ancestors.push(object)
    try {
      return read()
    } catch (error) {
      return unreadable(error)
    } finally {
      this.#ancestors.pop()
    }
  }

  #object(object: object): Data | undefined {
    if (Redacted.isRedacted(object)) return String(object)
    const shown: unknown = redact(object)
    if (shown !== object) return this.value(shown)
    if (isError(object)) return this.#error(object)
    if (Array.isArray(object)) {
      const length = Math.min(maxMembers, object.length)
      const items = Array.from({ length }, (_, i) => read(object, String(i)))
      return this.list(items, object.length)
    }
    if (object instanceof Map) return this.#map(object)
    if (object instanceof Set) return this.list(firstOf(object), object.size)
    if (object instanceof Date) return String(object.toJSON() ?? object)
    if (object instanceof RegExp) return this.text(String(object))
    if (ArrayBuffer.isView(object) || object instanceof ArrayBuffer) {
      return `<${object.constructor.name}: ${object.byteLength} bytes>`
    }
    if (object instanceof Headers || object instanceof URLSearchParams) {
      return this.#map(new Map(object))
    }
    // The message of its error has its text; its fields are the whole schema.
    if (SchemaIssue.isIssue(object)) return undefined
    if ("toJSON" in object && typeof object.toJSON === "function") {
      const json: unknown = object.toJSON()
      if (json !== object) return this.value(json)
    }
    const plain: unknown = typeof object.valueOf === "function" ? object.valueOf() : object
    return typeof plain === "object" || typeof plain === "function"
      ? this.fields(object)
      : this.value(plain)
  }

  /** Returns an object for names and values, and a list of pairs for any other map. */
  #map(map: ReadonlyMap<unknown, unknown>): Data {
    const entries = firstOf(map)
    return map.size === entries.length && entries.every(([key]) => typeof key === "string")
      ? this.fields(Object.fromEntries(entries))
      : this.list(entries, map.size)
  }

  #error(error: object, { message, stack }: Told = {}): ErrorRecord {
    const tag = read(error, "_tag")
    const named = read(error, "name")
    const type = [named, tag].find((name) => typeof name === "string" && name !== "") ?? "Error"
    const record: Record<string, Data> = Object.create(null)
    record["type"] = this.text(String(type))
    const text = message ?? read(error, "message") ?? ""
    record["message"] =
      typeof text === "string" ? this.text(text) : JSON.stringify(this.value(text) ?? "")
    // The system's errors have these, some as getters of their class.
    for (const name of ["code", "errno"]) this.#field(record, name, error, name)
    const cause = read(error, "cause")
    for (const name of Object.getOwnPropertyNames(error).slice(0, maxMembers)) {
      const isShown =
        (name === "_tag" && tag === type) ||
        name in record ||
        (fixed.has(name) && name !== "type") ||
        // The reason of an error of Effect is its cause too, or says the same as the error.
        (typeof cause === "object" && cause !== null && read(error, name) === cause) ||
        saysTheSame(read(error, name), text, cause)
      if (!isShown) this.#field(record, name, error, name)
    }
    if (Object.hasOwn(error, "type")) this.#field(record, "field.type", error, "type")
    const trace = stack ?? read(error, "stack")
    if (typeof trace === "string") record["stack"] = this.text(trace)
    this.#field(record, "cause", error, "cause")
    this.#field(record, "errors", error, "errors")
    return record as ErrorRecord
  }

  #field(record: Record<string, Data>, as: string, source: object, name: string): void {
    if (name.startsWith("~effect/")) return
    const value = this.#isHidden(name) ? Redaction.hidden : this.value(read(source, name))
    if (value !== undefined) record[this.#redaction.text(cut(as, maxName))] = value
  }

  #isHidden(name: unknown): boolean {
    return typeof name === "string" && this.#redaction.isHidden(name)
  }
}

/** Whether a value is an error, of this realm or of another one, such as a worker's. */
export const isError = (value: unknown): boolean => {
  try {
    return value instanceof Error || Object.prototype.toString.call(value) === "[object Error]"
  } catch {
    // A proxy throws.
    return false
  }
}

const firstOf = <A>(items: Iterable<A>): ReadonlyArray<A> => {
  const first: Array<A> = []
  for (const item of items) {
    if (first.push(item) === maxMembers) break
  }
  return first
}

/** Reads a member; a getter that throws is shown as what it threw. */
const read = (source: object, name: string): unknown => {
  try {
    return (source as Readonly<Record<string, unknown>>)[name]
  } catch (error) {
    return unreadable(error)
  }
}

/** Keys, prefixes and tags: what is cached, and what is invalidated together. */
import { createHash } from "node:crypto"

/** A part of a key. The number `7` and the string `"7"` are the same part. */
export type Segment = bigint | boolean | number | string

/** The key of a cached value. */
export interface CacheKey {
  readonly _tag: "key"
  /** The first segment, percent-encoded, at most 32 characters: the name of the cache in metrics. */
  readonly name: string
  /** The segments, percent-encoded and joined with `/`. */
  readonly path: string
  /** The paths of the prefixes that are shorter than the key. */
  readonly prefixes: ReadonlyArray<string>
}

/** All keys that begin with the same segments. */
export interface Prefix {
  readonly _tag: "prefix"
  readonly path: string
}

/** All values that were stored with the same tag. */
export interface Tag {
  readonly _tag: "tag"
  readonly path: string
}

/** What `ObjectCache.invalidate` takes. */
export type Target = CacheKey | Prefix | Tag

/** The most characters of a path that are kept before its digest, and of a name in metrics. */
const keptLength = 32

const hexOf = (unit: string): string => unit.charCodeAt(0).toString(16)

/**
 * Returns a segment in ASCII, without `/`, `#` and spaces. `encodeURIComponent` throws for half of a
 * surrogate pair, which is encoded as `%u` and its number.
 */
const encode = (segment: Segment): string => {
  const text = String(segment)
  return text.isWellFormed()
    ? encodeURIComponent(text)
    : text.replaceAll(/[^]/gu, (character) =>
        character.isWellFormed() ? encodeURIComponent(character) : `%u${hexOf(character)}`
      )
}

/**
 * Creates the key of a value. The first segment is the name of the cache. It is a label of the metrics,
 * so it must be a constant such as `products`. The segments are percent-encoded, so they may contain any
 * text.
 *
 * @example
 * ```ts
 * import { CacheKey } from "flange/Cache"
 *
 * CacheKey.of("products", 7, "a/b").path // => "products/7/a%2Fb"
 * ```
 */
export const of = (name: string, ...segments: ReadonlyArray<Segment>): CacheKey => {
  const prefixes: Array<string> = []
  let path = encode(name)
  for (const segment of segments) {
    prefixes.push(path)
    path += `/${encode(segment)}`
  }
  return { _tag: "key", name: encode(name).slice(0, keptLength), path, prefixes }
}

/**
 * Creates the target of all keys that begin with the segments, the key of exactly these segments
 * included.
 *
 * @example
 * ```ts
 * import { CacheKey } from "flange/Cache"
 *
 * CacheKey.prefix("products", 7).path // => "products/7"
 * ```
 */
export const prefix = (name: string, ...segments: ReadonlyArray<Segment>): Prefix => ({
  _tag: "prefix",
  path: of(name, ...segments).path
})

/**
 * Creates the target of all values that were stored with a tag.
 *
 * @example
 * ```ts
 * import { CacheKey } from "flange/Cache"
 *
 * CacheKey.tag("catalogue").path // => "catalogue"
 * ```
 */
export const tag = (name: Segment): Tag => ({ _tag: "tag", path: encode(name) })

const digestOf = (text: string): string =>
  `${text.slice(0, keptLength)}#${createHash("sha256").update(text).digest("base64url")}`

const maxNamespace = 64

/** Returns a text as the beginning of keys. A long one ends in its SHA-256. */
export const namespace = (text: string): string => {
  const encoded = text.split(":").map(encode).join(":")
  return encoded.length <= maxNamespace ? encoded : digestOf(encoded)
}

/** The kind of a record in a store. */
type Kind = "entry" | "lock" | "prefix" | "tag"

/** Memcached takes no longer key. */
const maxLength = 250

/**
 * Returns the name of a record in a store. A name that would be too long ends in the SHA-256 of its
 * path; `#` is in no path, so it is no other record's name.
 */
export const storeKey = (namespace: string, kind: Kind, path: string): string => {
  const key = `${namespace}:${kind}/${path}`
  if (key.length <= maxLength) return key
  return `${namespace}:${kind}/${digestOf(path)}`
}

/** Returns the name of the cache to which a record belongs; undefined if it is no entry. */
export const nameIn = (key: string): string | undefined => {
  const [, path] = key.split(":entry/")
  return path === undefined ? undefined : path.slice(0, keptLength).split(/[/#]/)[0]
}

/** Whether the target includes a value with this key and these tags. */
export const covers = (target: Target, key: CacheKey, tags: ReadonlyArray<string>): boolean =>
  target._tag === "tag"
    ? tags.includes(target.path)
    : target.path === key.path || (target._tag === "prefix" && key.prefixes.includes(target.path))

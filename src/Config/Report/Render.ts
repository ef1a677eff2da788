/** Renders values as text without secrets. */
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import { child, isOpen, isSecret, type Nodes } from "../SchemaTree.ts"
import { isPlain, type KeyPath, tree } from "../Tree.ts"

/** The text that replaces a secret. */
export const redacted = "<redacted>"

const longest = 160

/**
 * Returns where the password of a URL in the text may be: from the first colon behind `//` to the
 * last `@`, because a URL that is not understood may have any character in its password. Without
 * `//` the text counts as a URL that lacks it.
 */
const findPassword = (text: string): readonly [start: number, end: number] | undefined => {
  const end = text.lastIndexOf("@")
  for (let at = text.indexOf("//"); at !== -1 && at < end; at = text.indexOf("//", at + 2)) {
    const colon = text.indexOf(":", at)
    if (colon !== -1 && colon < end && !/[/?#]/.test(text.slice(at + 2, colon))) {
      return [colon + 1, end]
    }
  }
  const colon = text.indexOf(":")
  const isUrl = !text.includes("//") && /^[^\s:]+:\S/.test(text)
  return isUrl && colon < end ? [colon + 1, end] : undefined
}

/** Hides the password of a URL in the text, also in fields that are not secret. */
const maskUrl = (text: string): string => {
  const found = findPassword(text)
  return found === undefined ? text : text.slice(0, found[0]) + redacted + text.slice(found[1])
}

/** Decodes the password of a URL; text that is not percent-encoded stays as it is. */
const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Hides secrets in texts that Flange did not write itself, such as the message of a check. */
export class Scrubber {
  readonly #secrets = new Set<string>()

  /** Remembers a value of a secret field, in the forms in which it can reappear. */
  add(value: unknown): void {
    if (isPlain(value) || Array.isArray(value)) {
      return Object.values(value).forEach((v) => this.add(v))
    }
    if (typeof value !== "bigint" && typeof value !== "number" && typeof value !== "string") return
    this.#remember(String(value))
    this.addUrl(value)
  }

  /** Remembers the password of a URL in a field that is not secret. */
  addUrl(value: unknown): void {
    const found = typeof value === "string" ? findPassword(value) : undefined
    if (typeof value !== "string" || found === undefined) return
    const password = value.slice(...found)
    // Without `//` it may be an address of mail. One without white space is found as a word again.
    if (value.includes("//") || /\s/.test(password)) this.#remember(password)
  }

  #remember(text: string): void {
    // A shorter secret is hidden in its own field only: replacing it everywhere would garble other
    // texts.
    if (text.length < 3) return
    const forms = [text, encodeURIComponent(text), JSON.stringify(text).slice(1, -1), decode(text)]
    for (const form of forms) this.#secrets.add(form)
  }

  /** Returns the text without secrets and without passwords in URLs. */
  clean(text: string): string {
    let output = text
    for (const secret of [...this.#secrets].sort((a, b) => b.length - a.length)) {
      output = output.replaceAll(secret, redacted)
    }
    return output.replaceAll(/[^\s"]+/g, maskUrl)
  }
}

/** Returns a copy without secrets and without keys that the schema does not know. */
const visible = (nodes: Nodes, value: unknown): unknown => {
  if (isSecret(nodes, [], value) || Redacted.isRedacted(value)) return redacted
  if (Array.isArray(value)) {
    return value.map((item, index) => visible(child(nodes, String(index)), item))
  }
  if (Duration.isDuration(value)) return Duration.format(value)
  if (typeof value === "string") return maskUrl(value)
  if (isPlain(value)) {
    const open = isOpen(nodes)
    return tree(
      Object.keys(value)
        .sort()
        .flatMap((key) => {
          const inner = child(nodes, key)
          if (inner.length === 0 && !open) return []
          return [[key, isSecret(nodes, [key], value[key]) ? redacted : visible(inner, value[key])]]
        })
    )
  }
  if (typeof value === "bigint" || typeof value === "function" || typeof value === "symbol") {
    return typeof value === "bigint" ? String(value) : `<${typeof value}>`
  }
  return value
}

/** Returns a value as one line of text: JSON, cut if it is long, `<redacted>` if it is secret. */
export const render = (nodes: Nodes, path: KeyPath, value: unknown, scrubber: Scrubber): string => {
  if (isSecret(nodes, path, value)) return redacted
  const place = path.reduce<Nodes>((current, key) => child(current, key), nodes)
  const shown = visible(place, value)
  if (shown === redacted) return redacted
  if (typeof shown === "number") return scrubber.clean(String(shown))
  const text = scrubber.clean(JSON.stringify(shown) ?? String(shown))
  return text.length > longest ? `${text.slice(0, longest)}…` : text
}

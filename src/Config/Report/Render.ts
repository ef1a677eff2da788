/** Renders values as text without secrets. */
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import { child, isOpen, isSecret, type Nodes } from "../SchemaTree.ts"
import { isPlain, type KeyPath, tree } from "../Tree.ts"

/** The text that replaces a secret. */
export const redacted = "<redacted>"

const longest = 160

/** Hides the passwords of all URLs inside a text, also in fields that are not secret. */
const maskUrls = (text: string): string => text.replaceAll(/[^\s"]+/g, maskWord)

const separator = "://"

/** Hides what is between the first user's colon and the last `@` of a text without white space. */
const maskWord = (word: string): string => {
  const end = word.lastIndexOf("@")
  for (
    let at = word.indexOf(separator);
    at !== -1 && at < end;
    at = word.indexOf(separator, at + separator.length)
  ) {
    const user = at + separator.length
    const colon = word.indexOf(":", user)
    if (colon !== -1 && colon < end && !/[/?#@]/.test(word.slice(user, colon))) {
      return word.slice(0, colon + 1) + redacted + word.slice(end)
    }
  }
  return word
}

/** Hides secrets in texts that Flange did not write itself, such as the message of a check. */
export class Scrubber {
  readonly #secrets = new Set<string>()

  /** Remembers a value of a secret field, in the forms in which it can reappear. */
  add(value: unknown): void {
    if (isPlain(value) || Array.isArray(value))
      return Object.values(value).forEach((v) => this.add(v))
    if (typeof value !== "bigint" && typeof value !== "number" && typeof value !== "string") return
    const text = String(value)
    // A shorter secret is hidden in its own field only: replacing it everywhere would garble other
    // texts.
    if (text.length < 3) return
    for (const form of [text, encodeURIComponent(text), JSON.stringify(text).slice(1, -1)]) {
      this.#secrets.add(form)
    }
  }

  /** Returns the text without secrets and without passwords in URLs. */
  clean(text: string): string {
    let output = text
    for (const secret of [...this.#secrets].sort((a, b) => b.length - a.length)) {
      output = output.replaceAll(secret, redacted)
    }
    return maskUrls(output)
  }
}

/** Returns a copy without secrets and without keys that the schema does not know. */
const visible = (nodes: Nodes, value: unknown): unknown => {
  if (isSecret(nodes, [], value) || Redacted.isRedacted(value)) return redacted
  if (Array.isArray(value)) {
    return value.map((item, index) => visible(child(nodes, String(index)), item))
  }
  if (Duration.isDuration(value)) return Duration.format(value)
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

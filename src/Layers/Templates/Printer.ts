/** Prints values: the rules of each place. */
import { type Html, isHtml, isRendered, trusted } from "../../Contract/Markup.ts"
import type { Place } from "./Place.ts"

/** A value that cannot be printed. The message says why, and what to write. */
export class Unprintable extends Error {}

/** Turns a value into markup for its place. */
export type Print = (value: unknown) => string

/** What prints a value in each place. */
export interface Printer extends Readonly<Record<Exclude<Place, "address">, Print>> {
  /** `before` is what the address has on the page so far. */
  readonly address: (value: unknown, before: string) => string
}

/** Replaces the characters that have a meaning in HTML. */
export type Escape = (text: string) => string

const kindOf = (value: unknown): string => {
  if (value === undefined) return "undefined"
  if (Array.isArray(value)) return "a list"
  if (value instanceof Date) return "a date"
  return typeof value === "object" ? "an object" : `a ${typeof value}`
}

/** Returns the text of a value that is no markup. Code of the value, such as `toString`, is not called. */
const textOf = (value: unknown): string => {
  if (typeof value === "string") return value
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") {
    return String(value)
  }
  if (value === null) return ""
  throw new Unprintable(
    value === undefined
      ? 'the value is undefined. Correct the name, or write what is printed without a value, as in it.note ?? ""'
      : `the value is ${kindOf(value)}. Print a text or a number of it, such as date.toISOString()`
  )
}

/** The schemes of addresses that run no code. */
const schemes: ReadonlySet<string> = new Set(["http", "https", "mailto", "tel"])

/** What is printed in place of an address that may run code. */
const invalidAddress = "about:invalid"

// Browsers leave these out, wherever they are in front of the colon.
const schemeOf = (address: string): string | undefined =>
  /^([^/?#:]*):/.exec(address.replaceAll(/[\p{Cc} ]/gu, ""))?.[1]?.toLowerCase()

/** Checks whether an address is relative, or has a scheme that runs no code. */
const isSafe = (address: string): boolean => {
  const scheme = schemeOf(address)
  return scheme === undefined || schemes.has(scheme)
}

/** Checks whether an address whose scheme the template has may run code. Data of a picture runs none. */
const isCode = (address: string): boolean =>
  /^(?:javascript|vbscript|data:(?!(?:audio|font|image|video)\/))/i.test(
    address.replaceAll(/[\p{Cc} ]/gu, "")
  )

const isPlainStyle = (text: string): boolean => /^[\w #%.,+-]*$/.test(text)

const isName = (text: string): boolean => /^(?:[a-z][a-z\d-]*)?$/i.test(text)

/**
 * Returns JSON that ends no element and begins no comment, whatever the value has. It does not end a text in
 * single quotes or backticks either, as in `JSON.parse('...')`.
 */
export const json = (value: unknown): Html => {
  const text = JSON.stringify(value)
  if (text === undefined) {
    throw new Unprintable(`${kindOf(value)} has no JSON. Pass null, or a value that has one`)
  }
  return trusted(
    text.replaceAll(
      /[<>&'`$\u2028\u2029]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`
    )
  )
}

/** Returns what prints a value in each place. */
export const make = (escape: Escape): Printer => {
  const attribute: Print = (value) => escape(isHtml(value) ? value.markup : textOf(value))
  /** Returns the text of an address. What a template has printed was not checked as an address. */
  const addressOf = (value: unknown): { readonly isTrusted: boolean; readonly text: string } =>
    isHtml(value)
      ? { isTrusted: !isRendered(value), text: value.markup }
      : { isTrusted: false, text: textOf(value) }
  return {
    address: (value, before) => {
      const { isTrusted, text } = addressOf(value)
      const isFit = schemeOf(before) === undefined ? isSafe(before + text) : !isCode(before)
      return isTrusted || isFit ? escape(text) : invalidAddress
    },
    attribute,
    name: (value) => {
      const text = textOf(value)
      if (isName(text)) return text
      throw new Unprintable(
        "it is printed in the place of an attribute's name, and has other characters than letters, digits and -. Write the attribute in the template, with its value in quotes"
      )
    },
    script: (value) => {
      if (isHtml(value)) {
        if (!isRendered(value)) return value.markup
        throw new Unprintable(
          "the output of a template is printed in a script or a style sheet, where its values are not safe. Write the script in one template, and its values with <%= json(...) %>"
        )
      }
      if (typeof value === "boolean" || value === null) return String(value)
      if (typeof value === "number" && Number.isFinite(value)) return String(value)
      throw new Unprintable(
        `${kindOf(value)} is printed in a script or a style sheet, where escaping does not make it safe. Write <%= json(...) %>`
      )
    },
    style: (value) => {
      const text = textOf(value)
      if (isPlainStyle(text)) return escape(text)
      throw new Unprintable(
        "it is printed in the attribute style, and has other characters than letters, digits, spaces and #%.,+-. Write a class"
      )
    },
    text: (value) => (isHtml(value) ? value.markup : escape(textOf(value))),
    url: (value) => {
      const { isTrusted, text } = addressOf(value)
      return isTrusted || isSafe(text) ? escape(text) : invalidAddress
    }
  }
}

/** Prints a value between tags without escaping it: `<%~ %>`. It has to be markup. */
export const raw: Print = (value) => {
  if (isHtml(value)) return value.markup
  throw new Unprintable(
    `<%~ prints markup, and the value is ${kindOf(value)}. Write <%= to escape it, or make it markup with Html.trusted if it is safe`
  )
}

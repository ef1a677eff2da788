/** The rules of HTTP that are the same for every listener. Source: RFC 9110. */

/**
 * Returns which part of a reply's body is sent: all, its length only, or nothing. Source:
 * RFC 9110, sections 8.6, 9.3.2 and 15.
 */
export const bodyOf = (method: string, status: number): "body" | "length" | "nothing" =>
  status === 204 || status === 304 ? "nothing" : method === "HEAD" ? "length" : "body"

/**
 * Returns the value of a header with one more line. `name` is in lower case; `before` is
 * the value of the earlier lines. Source: RFC 9110, section 5.3; for cookies RFC 9113,
 * section 8.2.3.
 */
export const joined = (name: string, before: string | undefined, line: string): string =>
  before === undefined ? line : before + (name === "cookie" ? "; " : ", ") + line

/**
 * Returns the elements of a header that is a list of case-insensitive tokens, in
 * lower case. Source: RFC 9110, section 5.6.1.
 */
export const elements = (value: string): Array<string> =>
  value.toLowerCase().split(",").map(withoutBlanks)

/**
 * Removes the white space of HTTP around a text: spaces and tabs. Other white space is part
 * of the text.
 */
// A regular expression would take time quadratic in the blanks inside the text.
export const withoutBlanks = (text: string): string => {
  let end = text.length
  let start = 0
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09

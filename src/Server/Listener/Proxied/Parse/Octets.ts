/**
 * Which octets are allowed in each part of a request. Source: RFC 9110, sections 5.5 and
 * 5.6.2; RFC 3986.
 */

/** Letters, digits and `` !#$%&'*+-.^_`|~ ``: methods and field names. */
export const TOKEN = 1
/** HTAB, SP, visible ASCII and 0x80 to 0xFF: field values. */
export const FIELD = 2
/**
 * Visible ASCII except `"`, `#`, `<`, `>` and `\`. Some readers take `\` for `/`, and
 * others do not.
 */
export const PATH = 4
/** Visible ASCII except `"`, `#`, `<` and `>`: the characters that browsers leave in a query. */
export const QUERY = 8
/** HTAB, SP, visible ASCII except `"` and `\`, and 0x80 to 0xFF: text between quotes. */
export const QUOTED = 16

/** The sets of each octet. */
export const octets = new Uint8Array(256)

for (let octet = 0; octet < 256; octet++) {
  const char = String.fromCharCode(octet)
  const visible = octet > 0x20 && octet < 0x7f
  const text = visible || octet === 0x09 || octet === 0x20 || octet > 0x7f
  octets[octet] =
    (/[A-Za-z0-9!#$%&'*+.^_`|~-]/.test(char) ? TOKEN : 0) |
    (text ? FIELD : 0) |
    (visible && !/["#<>\\]/.test(char) ? PATH : 0) |
    (visible && !/["#<>]/.test(char) ? QUERY : 0) |
    (text && !/["\\]/.test(char) ? QUOTED : 0)
}

/** The value of a hexadecimal digit, -1 for other octets. */
export const hexadecimal = new Int8Array(256).fill(-1)

for (let value = 0; value < 16; value++) {
  hexadecimal[value.toString(16).charCodeAt(0)] = value
  hexadecimal[value.toString(16).toUpperCase().charCodeAt(0)] = value
}

/** Whether `text` has the lower-case ASCII `word` at `offset`, in any case. */
export const isAt = (text: string, offset: number, word: string): boolean => {
  for (let i = 0; i < word.length; i++) {
    let code = text.charCodeAt(offset + i)
    if (code > 0x40 && code < 0x5b) code |= 0x20
    if (code !== word.charCodeAt(i)) return false
  }
  return true
}

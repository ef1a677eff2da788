/** The `Date` field, formatted once a second. Source: RFC 9110, section 6.6.1. */

let line: string | undefined

/** Returns the field with its CRLF. */
export const field = (): string => {
  if (line === undefined) {
    const now = new Date()
    line = `Date: ${now.toUTCString()}\r\n`
    setTimeout(forget, 1000 - now.getMilliseconds()).unref()
  }
  return line
}

const forget = () => {
  line = undefined
}

/** Origins of pages, as browsers write them. Source: RFC 6454, section 6.2. */

/** The words by which reports describe an origin. */
export const words = 'an origin such as "https://app.example.com", without a path'

/** Checks that a text is an origin: scheme, host and a port that is not the scheme's own. */
export const isOrigin = (text: string): boolean => {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s,*"]+$/.test(text)) return false
  return !/^https?:/.test(text) || (URL.canParse(text) && new URL(text).origin === text)
}

/** The headers in which proxies describe the requests that they forward. */

/** The longest header that is read. No chain of proxies needs more. */
const maxLength = 2048

/** Returns the elements of a list, the last proxy's at the end. */
export const elements = (list: string | undefined): ReadonlyArray<string> =>
  list === undefined || list.length > maxLength
    ? []
    : list.split(",").map((element) => element.trim())

/**
 * Returns one parameter of each element of a `Forwarded` header; undefined for an element without
 * it, with several of it, or with a value that cannot be read. Source: RFC 7239, section 4.
 */
export const parameters = (
  forwarded: string | undefined,
  name: string
): ReadonlyArray<string | undefined> =>
  elements(forwarded).map((element) => {
    const values = element.split(";").flatMap((pair) => {
      const [, key, quoted, token] =
        /^\s*([\w-]+)\s*=\s*(?:"([^"\\]*)"|([^\s"]+))\s*$/.exec(pair) ?? []
      return key?.toLowerCase() === name ? [quoted ?? token] : []
    })
    return values.length === 1 ? values[0] : undefined
  })

/** Lists of names and values in one text, as variables of OpenTelemetry have them. */

/**
 * Returns the names and values of a text such as `a=1,b=2`; undefined if it is not one. Both may be
 * percent-encoded.
 *
 * Source: OpenTelemetry, "OpenTelemetry Protocol Exporter", section "Specifying headers".
 */
export const parse = (text: string): Record<string, string> | undefined => {
  const pairs: Array<readonly [string, string]> = []
  for (const member of text.split(",")) {
    if (member.trim() === "") continue
    const at = member.indexOf("=")
    const name = decode(member.slice(0, at).trim())
    const value = decode(member.slice(at + 1).trim())
    if (at === -1 || name === undefined || name === "" || value === undefined) return undefined
    pairs.push([name, value])
  }
  return Object.fromEntries(pairs)
}

/** Returns the text for names and values. */
export const format = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map((pair) => pair.map(encodeURIComponent).join("="))
    .join()

const decode = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

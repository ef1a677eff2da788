/** The entity tags of compressed replies. Source: RFC 9110, section 8.8.3. */

/**
 * Returns the tag of the compressed form of a reply. A strong tag stands for the same bytes, so the
 * compressed form has the weak one. `If-None-Match` compares tags as weak ones.
 */
export const weak = (tag: string): string => (tag.startsWith("W/") ? tag : `W/${tag}`)

const tags = /(?:W\/)?"[^"]*"/g

/**
 * Returns the tag of the form that the client has, for a reply without content: the weak one if
 * `If-None-Match` has that alone. A cache finds its stored reply by a strong tag only if both have it
 * (RFC 9111, section 4.3.4).
 */
export const known = (tag: string, ifNoneMatch: string | undefined): string => {
  const sent: ReadonlyArray<string> = ifNoneMatch?.match(tags) ?? []
  return !sent.includes(tag) && sent.includes(weak(tag)) ? weak(tag) : tag
}

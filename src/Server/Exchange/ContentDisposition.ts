/**
 * Values of the header `Content-Disposition`, which names the file that a reply is saved as. Source:
 * RFC 6266; RFC 8187 for names beyond ASCII.
 */
import { baseName } from "./BaseName.ts"

// Browsers do not agree on quotes, backslashes and percent-encoding in the plain parameter.
const ambiguous = /["\\]|%(?=[\dA-Fa-f]{2})|[^\x20-\x7e]/gu

// Characters that `encodeURIComponent` keeps and RFC 8187 does not.
const notAttribute = /['()*]/g

const make = (type: string, filename: string): string => {
  const name = baseName(filename)
  if (name === "") return type
  const plain = name.replaceAll(ambiguous, "_")
  const value = `${type}; filename="${plain}"`
  if (plain === name) return value
  const encoded = encodeURIComponent(name).replaceAll(
    notAttribute,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`
  )
  return `${value}; filename*=UTF-8''${encoded}`
}

/**
 * Returns the value for a reply that is saved as a file. Of a path only the last part is used.
 * Control characters become `_`, and marks that reverse the order of writing are left out. A name
 * that is not plain ASCII comes twice, as `filename*` and as a replacement for old clients. If no
 * name is left, the client chooses one. No input makes it throw.
 *
 * @example
 * ```ts
 * import { ContentDisposition } from "flange"
 *
 * ContentDisposition.attachment("report.pdf") // => 'attachment; filename="report.pdf"'
 * ContentDisposition.attachment("../é.pdf") // => `attachment; filename="_.pdf"; filename*=UTF-8''%C3%A9.pdf`
 * ```
 */
export const attachment = (filename: string): string => make("attachment", filename)

/**
 * Returns the value for a reply that is shown in the browser, with the name for saving it;
 * otherwise like `attachment`.
 *
 * @example
 * ```ts
 * import { ContentDisposition } from "flange"
 *
 * ContentDisposition.inline("plan.pdf") // => 'inline; filename="plan.pdf"'
 * ```
 */
export const inline = (filename: string): string => make("inline", filename)

/** Names of templates: paths of files without their extension, which lead out of no directory. */

/** The extension of the files. */
export const extension = ".eta"

/** The longest name. */
const maxLength = 200

const name = /^\w[\w.-]*(?:\/\w[\w.-]*)*$/

/** Returns why a name is refused, and what to write; undefined if it is not. */
export const refusal = (text: string): string | undefined => {
  if (text.endsWith(extension)) {
    return `write the name without the extension, as in ${JSON.stringify(text.slice(0, -extension.length))}`
  }
  return text.length <= maxLength && name.test(text)
    ? undefined
    : `it is no name of a template. Write its path from the directory of the templates, as in "orders/list": letters, digits, "_", "-" and "." in segments that begin with a letter, a digit or "_"`
}

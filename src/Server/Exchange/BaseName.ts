/** The names of files, as clients send them. */

/** Returns the last part of a path, without the characters that hide what a name is. */
export const baseName = (filename: string): string => {
  const name = filename
    .toWellFormed()
    .slice(Math.max(filename.lastIndexOf("/"), filename.lastIndexOf("\\")) + 1)
    .replaceAll(/\p{Bidi_Control}/gu, "")
    .replaceAll(/\p{Cc}/gu, "_")
    .trim()
  return name === "." || name === ".." ? "" : name
}

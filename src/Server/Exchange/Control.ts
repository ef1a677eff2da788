/** Control characters: what a client sends must not move the cursor of a terminal. */

/** C0, DEL, C1, the separators of lines and paragraphs, and what turns the direction of text. */
const control =
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

const escape = (character: string): string => {
  const json = JSON.stringify(character).slice(1, -1)
  return json.length > 1 ? json : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
}

/** Returns the text with control characters escaped as in JSON. JSON stays the same JSON. */
export const escaped = (text: string): string => text.replace(control, escape)

/** Checks the names of queues, tenants and the ids of items: every store can keep those that pass. */

import * as Shown from "../../Plugin/Shown.ts"

/** The longest id and the longest tenant, in UTF-16 code units. */
export const maxLength = 200

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const control = /[\u0000-\u001f\u007f]/u

/** Returns why a text cannot be an id or a tenant. Undefined if it can. */
export const problem = (text: unknown): string | undefined => {
  if (typeof text !== "string") return `it is ${Shown.of(text)}. Write a text`
  const rule = `Write 1 to ${maxLength} characters`
  if (text === "") return `it is empty. ${rule}`
  if (text.length > maxLength) return `${Shown.of(text)} is too long. ${rule}, such as a digest`
  if (control.test(text)) return `${Shown.of(text)} has a control character. ${rule} without them`
  if (!text.isWellFormed())
    return `${Shown.of(text)} has half of a surrogate pair. ${rule} of Unicode`
  if (text.trim() !== text) {
    return `${Shown.of(text)} begins or ends with white space, which databases compare differently. Write it without`
  }
  return undefined
}

const namePattern = /^[A-Za-z][A-Za-z0-9_.:/-]{0,99}$/

/** Returns why a text cannot be the name of a queue. Undefined if it can. */
export const queueProblem = (name: unknown): string | undefined =>
  typeof name === "string" && namePattern.test(name)
    ? undefined
    : `The name of a queue is ${Shown.of(name)}: write a letter and at most 99 letters, digits, _, -, ., : and /.`

/** Bearer tokens of one secret that client and server share. */
import { createHash, timingSafeEqual } from "node:crypto"

const digest = (text: string) => createHash("sha256").update(text).digest()

/**
 * Checks whether the value of a header `Authorization` has the token. The time that it takes tells
 * nothing about the token.
 */
export const matches = (header: string | undefined, token: string): boolean => {
  const [, sent] = /^Bearer +(\S+)$/i.exec(header ?? "") ?? []
  return sent !== undefined && timingSafeEqual(digest(sent), digest(token))
}

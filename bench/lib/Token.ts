import { createHmac } from "node:crypto"
import { jwt, scopes } from "../servers/support/Contract.ts"

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url")

/** An HS256 token as the servers want it, or one that is wrong in one thing. */
export const make = (
  subject: string,
  wrong: { readonly claims?: object; readonly secret?: string } = {}
): string => {
  const now = Math.floor(Date.now() / 1000)
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({
    aud: jwt.audience,
    exp: now + 24 * 3600,
    iat: now,
    iss: jwt.issuer,
    scope: `${scopes.read} ${scopes.write}`,
    sub: subject,
    ...wrong.claims
  })}`
  const signature = createHmac("sha256", wrong.secret ?? jwt.secret).update(signed)
  return `${signed}.${signature.digest("base64url")}`
}

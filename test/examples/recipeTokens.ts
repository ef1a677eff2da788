/** What the tests of the recipe API present to it. */
import { SignJWT } from "jose"

/** Credentials that the tests configure. */
export const apiKey = "key-of-the-tests"
export const jwtSecret = "secret-of-the-tests-with-thirty-two-bytes"
export const draft = { customer: "Acme", items: ["lamp", "cable"] }

/** `WWW-Authenticate` of a 401. */
export const challenge = (error = "") =>
  `Bearer realm="recipe-api"${error}, ApiKey realm="recipe-api", in="header", name="x-api-key"`

/** What differs from the tokens of the issuer. */
export interface Wanted {
  readonly audience?: string
  readonly expires?: number | string
  readonly issuer?: string
  readonly scopes?: string
  readonly secret?: string
}

/** A token as the issuer makes it, unless the test wants another. */
export const signed = (subject: string, wanted: Wanted = {}): Promise<string> =>
  new SignJWT({ scope: wanted.scopes ?? "" })
    .setProtectedHeader({ alg: "HS256" })
    .setAudience(wanted.audience ?? "recipe-api")
    .setExpirationTime(wanted.expires ?? "5 minutes")
    .setIssuer(wanted.issuer ?? "recipe-api")
    .setSubject(subject)
    .sign(new TextEncoder().encode(wanted.secret ?? jwtSecret))

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

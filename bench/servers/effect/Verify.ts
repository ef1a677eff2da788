/** HS256 with jose, as its documents show it: WebCrypto, asynchronous, the key imported once. */
import * as Effect from "effect/Effect"
import { jwtVerify } from "jose"
import { jwt } from "../support/Contract.ts"

export interface Claims {
  readonly scopes: ReadonlySet<string>
  readonly subject: string
}

const key = await crypto.subtle.importKey(
  "raw",
  new TextEncoder().encode(jwt.secret),
  { hash: "SHA-256", name: "HMAC" },
  false,
  ["verify"]
)

/** Fails where the token is not valid. */
export const verify = (token: string): Effect.Effect<Claims, unknown> =>
  Effect.map(
    Effect.tryPromise(() =>
      jwtVerify<{ scope: string }>(token, key, {
        algorithms: ["HS256"],
        audience: jwt.audience,
        issuer: jwt.issuer
      })
    ),
    ({ payload }) => ({
      scopes: new Set(payload.scope.split(" ")),
      subject: payload.sub ?? ""
    })
  )

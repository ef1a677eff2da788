/**
 * What Flange's entry of `production` does with stock pieces because Flange has no battery for it
 * yet. The runner prints it beside every figure of that tier.
 */
export const missing: ReadonlyArray<string> = [
  "authentication: jose called by servers/effect/FlangeStandIns.ts, no battery Auth",
  "CORS: HttpMiddleware.cors of Effect in a slot, no battery",
  "rate limit: RateLimiter of Effect called by the stand-in of authentication, no battery",
  "scope check: by hand in the handlers, not declared by the route",
  "secure headers: constants set in a slot, no battery"
]

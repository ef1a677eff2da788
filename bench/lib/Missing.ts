/**
 * Where Flange's entry of `production` is not what an app would have: stock pieces for batteries
 * that do not exist yet, and what is switched off. Every script prints it beside that tier.
 */
export const missing: ReadonlyArray<string> = [
  "CORS: constant headers, and Effect's HttpMiddleware.cors for preflights; no battery",
  "audit of callers that are let in: switched off, peers have none",
  "rate limit: Effect's RateLimiter in a slot; no battery",
  "secure headers: constant headers; no battery"
]

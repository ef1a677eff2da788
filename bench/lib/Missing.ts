/**
 * Where Flange's entry of `production` is not what an app would have: what is switched off. Every
 * script prints it beside that tier.
 */
export const missing: ReadonlyArray<string> = [
  "audit of callers that are let in: switched off, peers have none"
]

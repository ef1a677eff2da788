/** Chooses the content coding of a reply. Source: RFC 9110, section 12.5.3. */
import { type Weights, weightsOf } from "../../Server/Exchange/CodingWeights.ts"
import type { Coding } from "./CompressionConfig.ts"

/** Returns the coding for a value of `Accept-Encoding`; undefined for none. */
export type Choose = (accepted: string | undefined) => Coding | undefined

/** Most values whose choice is kept, and the longest value that is kept. */
const maxKept = 256
const maxKeptLength = 128

/**
 * Returns the function that chooses one of `codings`: the one that the client likes best, and of several
 * the first. Without the header, and if the client likes `identity` better, no coding is chosen.
 */
export const make = (codings: ReadonlyArray<Coding>): Choose => {
  // Clients of one kind send the same value.
  const kept = new Map<string, Coding | undefined>()
  return (accepted) => {
    if (accepted === undefined) return undefined
    if (kept.has(accepted)) return kept.get(accepted)
    const chosen = choose(codings, weightsOf(accepted))
    if (accepted.length <= maxKeptLength) {
      if (kept.size >= maxKept) kept.clear()
      kept.set(accepted, chosen)
    }
    return chosen
  }
}

const choose = (codings: ReadonlyArray<Coding>, weights: Weights): Coding | undefined => {
  const others = weights.get("*") ?? 0
  let best = 0
  let chosen: Coding | undefined
  for (const coding of codings) {
    const weight = weights.get(coding) ?? others
    if (weight > best) {
      best = weight
      chosen = coding
    }
  }
  return (weights.get("identity") ?? 0) > best ? undefined : chosen
}

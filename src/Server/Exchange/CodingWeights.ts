/** The content codings that a client accepts. Source: RFC 9110, section 12.5.3. */
import { withoutBlanks } from "./Semantics.ts"

/** The weight of each coding that a client names. */
export type Weights = ReadonlyMap<string, number>

/** Returns the weight of each coding. Elements that are malformed are left out. */
export const weightsOf = (accepted: string): Weights => {
  const weights = new Map<string, number>()
  for (const element of accepted.toLowerCase().split(",")) {
    const [name, ...parameters] = element.split(";", 3).map(withoutBlanks)
    const weight = parameters.length === 0 ? 1 : weightOf(parameters)
    if (name === undefined || name === "" || weight === undefined) continue
    // Source: RFC 9110, section 8.4.1.3.
    const coding = name === "x-gzip" ? "gzip" : name
    // The first one counts: a client has no reason to send two.
    if (!weights.has(coding)) weights.set(coding, weight)
  }
  return weights
}

const weightOf = ([parameter, ...more]: ReadonlyArray<string>): number | undefined =>
  more.length === 0 && parameter !== undefined && qvalue.test(parameter)
    ? Number(parameter.slice(2))
    : undefined

const qvalue = /^q=(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/

/** The precompressed forms of a file: files beside it. Source: RFC 9110, section 12.5.3. */
import { weightsOf } from "../../Server/Exchange/CodingWeights.ts"

/** A content coding, and the ending of its files. */
export interface Coding {
  readonly ending: string
  readonly name: string
}

/** The codings, the shortest content first. */
const codings: ReadonlyArray<Coding> = [
  { ending: ".br", name: "br" },
  { ending: ".zst", name: "zstd" },
  { ending: ".gz", name: "gzip" }
]

/** Returns the codings that a client accepts, the one that it likes best first. */
export const accepted = (header: string | undefined): ReadonlyArray<Coding> => {
  if (header === undefined) return []
  const weights = weightsOf(header)
  const others = weights.get("*") ?? 0
  const own = weights.get("identity") ?? 0
  const weightOf = ({ name }: Coding) => weights.get(name) ?? others
  return codings
    .filter((coding) => weightOf(coding) > 0 && weightOf(coding) >= own)
    .sort((a, b) => weightOf(b) - weightOf(a))
}

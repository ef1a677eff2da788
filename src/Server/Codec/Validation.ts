/** Every issue of a request, not those of its first wrong part alone. */
import * as Effect from "effect/Effect"
import { type Issue, MalformedRequest } from "../../Contract/Catalogue.ts"
import * as Problem from "../Exchange/Problem.ts"
import type { Decoder } from "./Parts.ts"

/**
 * Decodes the parts of a request once more, all of them, and gives what is wrong
 * with each, in the order of the parts. `read` gives a part's input, or throws
 * the answer to one that cannot be read.
 */
export const issues = (
  decoders: ReadonlyArray<Decoder>,
  read: (part: Decoder["part"]) => unknown
): Effect.Effect<ReadonlyArray<Issue>> =>
  Effect.map(
    Effect.forEach(decoders, ({ all, kind, part }) => {
      try {
        return Effect.match(all(read(part)), {
          onFailure: ({ issue }): ReadonlyArray<Issue> => Problem.issues(kind, issue),
          onSuccess: () => []
        })
      } catch (error) {
        // A body over the limit has an answer of its own, once the other parts are right.
        return Effect.succeed(error instanceof MalformedRequest ? error.errors : [])
      }
    }),
    (parts) => parts.flat()
  )

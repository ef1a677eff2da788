/** Finds every issue of a request, in all its parts. */
import * as Effect from "effect/Effect"
import { type Issue, MalformedRequest } from "../../Contract/Catalogue.ts"
import * as Problem from "../Exchange/Problem.ts"
import type { Decoder } from "./Parts.ts"

/**
 * Decodes all parts of a request again, and returns their issues in the order of the
 * parts. `read` returns the input of a part, or throws the error to answer if the part
 * cannot be read.
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
        // A body over the limit is a 413 only if the other parts are valid.
        return Effect.succeed(error instanceof MalformedRequest ? error.errors : [])
      }
    }),
    (parts) => parts.flat()
  )

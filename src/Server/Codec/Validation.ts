/** Finds the issues of a request, in all its parts. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Issue, MalformedRequest } from "../../Contract/Catalogue.ts"
import * as Issues from "../Exchange/Issues.ts"
import * as Decoding from "./Decoding.ts"
import type { Decoder } from "./Parts.ts"

/**
 * Decodes all parts of a request again, and returns their issues in the order of the
 * parts. `read` returns the input of a part, or throws the error to answer if the part
 * cannot be read. Of a part with thousands of issues it returns some.
 */
export const issues = (
  decoders: ReadonlyArray<Decoder>,
  read: (part: Decoder["part"]) => unknown
): Effect.Effect<ReadonlyArray<Issue>> =>
  Effect.map(
    Effect.forEach(decoders, (decoder) => {
      try {
        const input = read(decoder.part)
        return Effect.catchDefect(every(decoder, input), (defect) =>
          defect === Decoding.tooMany ? some(decoder, input) : Effect.die(defect)
        )
      } catch (error) {
        // A body over the limit is a 413 only if the other parts are valid.
        return Effect.succeed(error instanceof MalformedRequest ? error.errors : [])
      }
    }),
    (parts) => parts.flat()
  )

type Found = Effect.Effect<ReadonlyArray<Issue>>

const every = ({ all, kind }: Decoder, input: unknown): Found =>
  Effect.match(all(input), {
    onFailure: ({ issue }) => Issues.fromSchema(kind, issue),
    onSuccess: () => []
  })

/** Returns the issues near the start of a value, its first issue, and that there may be more. */
const some = ({ all, first, kind }: Decoder, input: unknown): Found => {
  const start = startOf(input)
  const onlyFirst = Effect.match(first(input), {
    onFailure: ({ issue }) => withMore(Issues.fromSchema(kind, issue)),
    onSuccess: () => []
  })
  return Effect.matchCauseEffect(all(start), {
    onFailure: (cause) => {
      const error = Cause.findErrorOption(cause)
      const near = Option.isNone(error)
        ? []
        : Issues.fromSchema(kind, error.value.issue).filter(
            // Some members of the value are not in its start, and its containers are smaller.
            ({ pointer }) => sizeOf(valueAt(input, pointer)) === sizeOf(valueAt(start, pointer))
          )
      return near.length === 0 ? onlyFirst : Effect.succeed(withMore(near))
    },
    onSuccess: () => onlyFirst
  })
}

/** Adds to the issues of a part that there may be more. */
const withMore = (issues: ReadonlyArray<Issue>): ReadonlyArray<Issue> => [
  ...issues,
  Issues.more(issues[0]!.location)
]

/** How many members of each array and object `startOf` keeps. */
const kept = 100

/** Returns a copy of a value in which no array and no object is large. */
const startOf = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null) return value
  return Array.isArray(value)
    ? value.slice(0, kept).map(startOf)
    : Object.fromEntries(
        Object.entries(value)
          .slice(0, kept)
          .map(([key, member]) => [key, startOf(member)])
      )
}

const valueAt = (value: unknown, pointer: string): unknown =>
  Issues.segments(pointer).reduce<unknown>(
    (inside, key) => (inside as Readonly<Record<string, unknown>> | undefined)?.[key],
    value
  )

const sizeOf = (value: unknown): number =>
  value === undefined
    ? -1
    : typeof value === "object" && value !== null
      ? Object.keys(value).length
      : 0

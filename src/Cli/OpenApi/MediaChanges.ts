/** The differences in the media types of a body, and in what each of them carries. */
import { type Compare, kindOf, type Part, type Place } from "./Change.ts"
import { type Json, objectOf, textOf } from "./Schemas.ts"

/** Returns the differences in the `content` of two bodies. */
export const content = (
  before: Json,
  after: Json,
  place: Place,
  compare: Compare
): ReadonlyArray<Part> => {
  const [old, now] = [objectOf(before["content"]), objectOf(after["content"])]
  const types = [...new Set([...Object.keys(old), ...Object.keys(now)])]
  const isOne = types.length === 1
  return types.flatMap((type): ReadonlyArray<Part> => {
    const [was, is] = [old[type], now[type]].map(objectOf) as [Json, Json]
    const root = isOne ? place.root : `${place.root} as ${type}`
    if (!Object.hasOwn(old, type)) {
      return [
        {
          kind: kindOf(place, "wider"),
          text:
            place.side === "request"
              ? `${place.root} may be ${type} too.`
              : `${place.root} may be ${type} now, which clients do not read.`
        }
      ]
    }
    if (!Object.hasOwn(now, type)) {
      return [
        {
          kind: kindOf(place, "narrower"),
          text:
            place.side === "request"
              ? `${place.root} may no longer be ${type}: clients that send it get 415.`
              : `${place.root} is never ${type} now.`
        }
      ]
    }
    const inside = { ...place, root }
    return [
      ...compare(was["schema"] ?? {}, is["schema"] ?? {}, inside),
      ...stream(was, is, inside, compare),
      ...(textOf(was["encoding"]) === textOf(is["encoding"])
        ? []
        : [
            { kind: "breaking" as const, text: `the parts of ${root} are written in another form.` }
          ])
    ]
  })
}

/** Compares what Effect states about streams: their elements are in the schema of the media type. */
const stream = (before: Json, after: Json, place: Place, compare: Compare): ReadonlyArray<Part> => {
  const [old, now] = [before["x-effect-stream"], after["x-effect-stream"]].map(objectOf) as [
    Json,
    Json
  ]
  if (old["encoding"] !== now["encoding"]) {
    return [
      {
        kind: "breaking",
        text:
          now["encoding"] === undefined
            ? `${place.root} is no stream any more.`
            : `${place.root} is a stream now (${String(now["encoding"])}).`
      }
    ]
  }
  return compare(old["errorSchema"] ?? {}, now["errorSchema"] ?? {}, {
    path: "",
    root: `the error at the end of ${place.root}`,
    side: "reply"
  })
}

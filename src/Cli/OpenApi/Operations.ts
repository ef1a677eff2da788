/** The operations of a document, and those of another document that they became. */
import { methods } from "../../Layers/OpenApi/Document.ts"
import { type Json, listOf, objectOf, resolved } from "./Schemas.ts"

/** An operation of a document, without references on its surface. */
export interface Operation {
  /** The operation's id; undefined if it has none. */
  readonly id: string | undefined
  readonly json: Json
  /** Method and path, such as `POST /v1/orders`. */
  readonly key: string
  /** The parameters by their place and name. */
  readonly parameters: ReadonlyMap<string, Json>
  /** The names of the parameters of the path, in its order. */
  readonly pathNames: ReadonlyArray<string>
  /** Method and path with `{}` for each parameter: what the server tells operations apart by. */
  readonly shape: string
}

/** Documents of version 3.2 have one more. */
const isMethod = (name: string): boolean => methods.has(name) || name === "query"

/** Returns the operations of a document in its order. */
export const of = (document: Json): ReadonlyArray<Operation> =>
  Object.entries(objectOf(document["paths"])).flatMap(([path, value]) => {
    const item = resolved(document, value)
    const own = Object.entries(item).filter(([name]) => isMethod(name))
    const others = Object.entries(objectOf(item["x-oai-additionalOperations"]))
    return [...own, ...others].map(([method, json]): Operation => {
      const operation = objectOf(json)
      const parameters = [...listOf(item["parameters"]), ...listOf(operation["parameters"])]
        .map((parameter) => resolved(document, parameter))
        .map((parameter) => [keyOf(parameter), parameter] as const)
      const id = operation["operationId"]
      return {
        id: typeof id === "string" ? id : undefined,
        json: operation,
        key: `${method.toUpperCase()} ${path}`,
        parameters: new Map(parameters),
        pathNames: [...path.matchAll(/\{([^{}]*)\}/g)].map(([, name]) => name!),
        shape: `${method.toUpperCase()} ${path.replaceAll(/\{[^{}]*\}/g, "{}")}`
      }
    })
  })

/** Names of headers have no case. */
const keyOf = ({ in: place, name }: Json): string =>
  `${String(place)} ${place === "header" ? String(name).toLowerCase() : String(name)}`

/** Returns an operation in words, such as `POST /v1/orders (orders.create)`. */
export const nameOf = ({ id, key }: Operation): string =>
  id === undefined ? key : `${key} (${id})`

/** An operation of the old document and that of the new one; one of them may be missing. */
export interface Pair {
  readonly after: Operation | undefined
  readonly before: Operation | undefined
}

/** Pairs operations by method and path, and those that remain by their ids. */
export const pairs = (
  before: ReadonlyArray<Operation>,
  after: ReadonlyArray<Operation>
): ReadonlyArray<Pair> => {
  const shapes = new Map(before.map((operation) => [operation.shape, operation]))
  const here = new Set(after.map(({ shape }) => shape))
  const gone = new Map(
    before.flatMap((operation) =>
      operation.id === undefined || here.has(operation.shape) ? [] : [[operation.id, operation]]
    )
  )
  const paired = new Set<Operation>()
  const found = after.map((operation): Pair => {
    const old =
      shapes.get(operation.shape) ??
      (operation.id === undefined ? undefined : gone.get(operation.id))
    if (old !== undefined) paired.add(old)
    return { after: operation, before: old }
  })
  const removed = before
    .filter((operation) => !paired.has(operation))
    .map((operation): Pair => ({ after: undefined, before: operation }))
  return [...found, ...removed]
}

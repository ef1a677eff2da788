/** The OpenAPI document of an app, and the reasons why one cannot be made. */
import * as Context from "effect/Context"
import * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import type * as Schema from "effect/Schema"
import * as ErrorEnvelope from "../../Contract/ErrorEnvelope.ts"
import * as RoutePath from "../../Contract/RoutePath.ts"
import * as StrictQuery from "../../Contract/StrictQuery.ts"
import * as Described from "./Described.ts"
import * as JsonSchema from "./JsonSchema.ts"
import * as PathTemplate from "./PathTemplate.ts"
import { openObject } from "./WireSchema.ts"

type Json = Record<string, unknown>

/** What the document states besides the contract. */
export interface About {
  /** The groups that come last, such as those of batteries. */
  readonly last: ReadonlySet<string>
  readonly name: string
  /** Whether unknown keys of a query are refused if the contract does not decide. */
  readonly strictQuery: boolean
  readonly version: string
}

/** An endpoint in its document. */
export interface Entry {
  readonly endpoint: string
  readonly group: string
  readonly method: string
  /** The operation's id in the document. */
  readonly operationId: string | undefined
  readonly path: string
  readonly templates: ReadonlyArray<PathTemplate.PathTemplate>
}

/** The document of a contract. */
export interface Document {
  /** The endpoints that are in it. */
  readonly entries: ReadonlyArray<Entry>
  /** Returns the document as JSON. */
  readonly finish: (about: About) => object
}

/** The members of a path item that OpenAPI 3.1 has for methods. */
export const methods: ReadonlySet<string> = new Set([
  "delete",
  "get",
  "head",
  "options",
  "patch",
  "post",
  "put",
  "trace"
])

// Effect caches documents by this object.
const options: OpenApi.FromApiOptions = { includeAnnotationKey: (key) => key === openObject }

const made = new WeakMap<HttpApi.Top, Document>()

/** Returns the document of a contract, made once: an app is checked before it is served. */
export const fromApi = (api: HttpApi.Top): Document => {
  const document = made.get(api) ?? make(api)
  made.set(api, document)
  return document
}

/** Returns the endpoint that prevents the document; undefined if no single endpoint does. */
export const culprit = (api: HttpApi.Top): Pick<Entry, "endpoint" | "group"> | undefined => {
  const all = Object.values(api.groups).flatMap((group) =>
    Object.entries(group.endpoints)
      .filter(([, endpoint]) => !isExcluded(api, group, endpoint))
      .map(([endpoint]) => ({ endpoint, group: group.identifier }))
  )
  const fails = (limit: number) => {
    try {
      make(api, limit)
      return false
    } catch {
      return true
    }
  }
  if (fails(0)) return undefined
  let [works, broken] = [0, all.length]
  while (broken - works > 1) {
    const middle = Math.floor((works + broken) / 2)
    if (fails(middle)) broken = middle
    else works = middle
  }
  return all[broken - 1]
}

const isExcluded = (
  { annotations }: HttpApi.Top,
  group: HttpApiGroup.Top,
  endpoint: HttpApiEndpoint.Top
): boolean =>
  Context.get(
    Context.mergeAll(annotations, group.annotations, endpoint.annotations),
    OpenApi.Exclude
  )

/**
 * Makes a document. Throws if Effect cannot make it, for example because two schemes of
 * one name differ.
 *
 * Every endpoint has a path of its own while Effect makes the operations, and the paths are
 * put together afterwards: Effect does not know wildcards and optional parameters.
 *
 * `limit` is the number of endpoints after which the document ends.
 */
const make = (api: HttpApi.Top, limit = Number.MAX_SAFE_INTEGER): Document => {
  const describe = Described.make(ErrorEnvelope.of(api))
  const found: Array<{
    readonly entry: Omit<Entry, "operationId">
    operation: Json
    readonly strictQuery: boolean | undefined
  }> = []
  const described = Object.values(api.groups).map((group) => {
    const endpoints = Object.entries(group.endpoints).flatMap(([name, endpoint]) => {
      if (isExcluded(api, group, endpoint) || found.length === limit) return []
      const key = String(found.length)
      const { method, params, path } = endpoint
      const { parts } = RoutePath.parse(path, RoutePath.declaredNames(params))
      const templates = PathTemplate.fromParts(parts)
      const entry = { endpoint: name, group: group.identifier, method, path, templates }
      const strictQuery = StrictQuery.of(Context.merge(group.annotations, endpoint.annotations))
      const one = { entry, operation: {}, strictQuery }
      found.push(one)
      // The server knows no annotations of the whole contract.
      const other = describe.endpoint(endpoint, group.annotations, (operation) => {
        one.operation = operation
        // Effect refuses ids that are not unique, without the endpoints that share one.
        return { ...operation, operationId: key }
      })
      return [[name, Described.copy(other, { path: `/${key}` })]]
    })
    // The types of a group name its endpoints.
    return Described.copy(group, { endpoints: Object.fromEntries(endpoints) as never })
  })
  const additional = Context.getOrElse(
    api.annotations as Context.Context<HttpApi.AdditionalSchemas>,
    HttpApi.AdditionalSchemas,
    () => []
  )
  const { paths: _, ...whole } = OpenApi.fromApi(
    withGroups(api, described).annotate(
      HttpApi.AdditionalSchemas,
      additional.map((schema) => describe.schema(schema as Schema.Top))
    ),
    options
  )
  const operations = found.map(({ entry, operation, strictQuery }) => {
    const cleaned = JsonSchema.clean(operation) as Json
    // An override may set anything.
    const { operationId } = cleaned as { readonly operationId?: string }
    return { entry: { ...entry, operationId }, operation: cleaned, strictQuery }
  })
  const {
    components,
    security: _security,
    ...rest
  } = JsonSchema.clean(whole) as Json & {
    readonly components: Readonly<Record<string, object>>
  }
  const { schemas, securitySchemes = {} } = components
  const tagOf = (group: string) =>
    operations.find(({ entry }) => entry.group === group)?.operation["tags"]
  return {
    entries: operations.map(({ entry }) => entry),
    finish: ({ last, name, strictQuery, version }) => {
      const lastTags = new Set([...last].flatMap((group) => tagOf(group) ?? []))
      return finished(api, {
        ...rest,
        components: {
          schemas,
          // A page offers to log in if there are schemes, even without one.
          ...(Object.keys(securitySchemes).length === 0 ? {} : { securitySchemes })
        },
        info: { ...whole.info, title: titleOf(api) ?? name, version },
        paths: pathsOf(
          sortedBy(titled(operations.map(queryStated(strictQuery))), ({ entry }) =>
            last.has(entry.group)
          )
        ),
        tags: sortedBy(uniqueTags(whole.tags), (tag) => lastTags.has(tag.name))
      })
    }
  }
}

/** Returns the title that an app annotates its contract with. */
const titleOf = ({ annotations }: HttpApi.Top): string | undefined =>
  Context.getOrUndefined(annotations as Context.Context<OpenApi.Title>, OpenApi.Title)

/** Returns the list with those that come last at its end. */
const sortedBy = <A>(list: ReadonlyArray<A>, isLast: (a: A) => boolean): ReadonlyArray<A> =>
  list.toSorted((a, b) => Number(isLast(a)) - Number(isLast(b)))

interface Operation {
  readonly entry: Entry
  readonly operation: Json
}

/** The sentence about a query that refuses unknown keys. */
export const unlisted = "A query with a key that is not listed is answered with 400."

/** Adds to the description of an operation that it refuses unknown keys: OpenAPI has no other place. */
const queryStated =
  (fallback: boolean) =>
  ({
    entry,
    operation,
    strictQuery = fallback
  }: Operation & { readonly strictQuery: boolean | undefined }): Operation => {
    if (!strictQuery) return { entry, operation }
    const own = operation["description"]
    const description = typeof own === "string" ? `${own}\n\n${unlisted}` : unlisted
    return { entry, operation: { ...operation, description } }
  }

/**
 * Gives every operation a summary of its own, because pages list operations by it: the name
 * of the endpoint in words if the contract has none.
 */
const titled = (operations: ReadonlyArray<Operation>): ReadonlyArray<Operation> => {
  const summaryOf = ({ entry, operation }: Operation) =>
    String(operation["summary"] ?? inWords(entry.endpoint))
  const inTag = operations.map((each) => JSON.stringify([each.operation["tags"], summaryOf(each)]))
  return operations.map((each, i) => {
    const { entry, operation } = each
    const isAlone = inTag.indexOf(inTag[i]!) === inTag.lastIndexOf(inTag[i]!)
    const where = isAlone ? "" : ` (${entry.method} ${entry.path})`
    return { entry, operation: { ...operation, summary: summaryOf(each) + where } }
  })
}

/** `listOrders` is "List orders". */
const inWords = (name: string): string => {
  const words = name
    .replaceAll(/(?<=[a-z\d])(?=[A-Z])|[-_]/g, " ")
    .toLowerCase()
    .trim()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

const pathsOf = (operations: ReadonlyArray<Operation>): Json => {
  const paths: Record<string, Json> = {}
  for (const { entry, operation } of operations) {
    const [full] = entry.templates
    for (const template of entry.templates) {
      const own = template === full ? operation : withoutOptional(operation, full!)
      put((paths[template.text] ??= {}), entry.method, withParameters(own, template))
    }
  }
  return paths
}

const withGroups = (api: HttpApi.Top, groups: ReadonlyArray<HttpApiGroup.Top>): HttpApi.Top =>
  Described.copy(api, {
    groups: Object.fromEntries(groups.map((group) => [group.identifier, group])) as never
  })
    // What the app changes in the whole document is applied when the paths are right.
    .annotate(OpenApi.Override, {})
    .annotate(OpenApi.Transform, (spec) => spec)

const finished = (api: HttpApi.Top, spec: Json): object => {
  const annotations = api.annotations as Context.Context<OpenApi.Override | OpenApi.Transform>
  const override = Context.getOrUndefined(annotations, OpenApi.Override)
  const transform = Context.getOrUndefined(annotations, OpenApi.Transform)
  const overridden = { ...spec, ...override }
  return transform === undefined ? overridden : transform(overridden)
}

/** OpenAPI 3.1 has no place for other methods; 3.2 and Effect's generator have this one. */
const put = (item: Json, method: string, operation: Json): void => {
  const name = method.toLowerCase()
  if (methods.has(name)) item[name] = operation
  else {
    const others = (item["x-oai-additionalOperations"] ??= {}) as Json
    others[method.toUpperCase()] = operation
  }
}

const withoutOptional = (operation: Json, full: PathTemplate.PathTemplate): Json => {
  const { operationId, summary } = operation
  const name = full.names.at(-1)
  return {
    ...operation,
    ...(operationId === undefined ? {} : { operationId: `${String(operationId)}.without.${name}` }),
    summary: `${String(summary)}, without ${name}`
  }
}

interface Parameter {
  readonly in: string
  readonly name: string
}

/** Every parameter of the path is described, and no other. */
const withParameters = (operation: Json, { names }: PathTemplate.PathTemplate): Json => {
  const stated = (operation["parameters"] ?? []) as ReadonlyArray<Parameter>
  const isStated = (name: string) =>
    stated.some((parameter) => parameter.in === "path" && parameter.name === name)
  return {
    ...operation,
    parameters: [
      ...names
        .filter((name) => !isStated(name))
        .map((name) => ({ in: "path", name, required: true, schema: { type: "string" } })),
      ...stated.filter((parameter) => parameter.in !== "path" || names.includes(parameter.name))
    ]
  }
}

const uniqueTags = (tags: ReadonlyArray<{ readonly name: string }>) => [
  ...new Map(tags.map((tag) => [tag.name, tag])).values()
]

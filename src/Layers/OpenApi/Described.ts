/** Endpoints as the document describes them: with schemas of what is on the wire. */
import * as Context from "effect/Context"
import * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as HttpMethod from "effect/http/HttpMethod"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import type * as ErrorEnvelope from "../../Contract/ErrorEnvelope.ts"
import { StandardErrors } from "../../Contract/StandardErrors.ts"
import {
  getErrorSchemas,
  getResponseEncodingSchema,
  getStatusErrorSchema,
  getWithHeadersAnnotation,
  isStreamSchema,
  isUpgrade
} from "../../Server/EffectInternals.ts"
import * as EmptyBody from "../../Server/Exchange/EmptyBody.ts"
import { isProblem } from "../../Server/Exchange/Problem.ts"
import * as WireSchema from "./WireSchema.ts"

type Annotations = Context.Context<never>

type Payload = HttpApiEndpoint.Top["payload"]

/** Changes an operation of the document. */
export type Transform = (operation: Record<string, unknown>) => Record<string, unknown>

/**
 * Returns the functions that describe the endpoints and other schemas of one document. Errors that
 * the server sends in the envelope have the schema of the envelope.
 */
export const make = (envelope: ErrorEnvelope.ErrorEnvelope | undefined) => {
  const wire = WireSchema.make()

  /** Texts are described by the types that they are decoded to. */
  const texts = (schema: Schema.Top, isClosed: boolean): Schema.Top => {
    // A codec that Effect made has the schema that it was made of.
    const declared = "schema" in schema ? (schema.schema as Schema.Top) : schema
    return wire(Schema.toCodecJson(declared), { isClosed, isText: true })
  }

  /** The elements of a stream are JSON. */
  const stream = (schema: Schema.Top, isClosed: boolean): Schema.Top => {
    const own = ["error", "events", "schema"].flatMap((key) => {
      const element = (schema as unknown as Readonly<Record<string, Schema.Top | undefined>>)[key]
      return element === undefined
        ? []
        : [[key, wire(Schema.toCodecJson(element), { isClosed, isText: false })]]
    })
    return Object.assign(schema.annotate({}), Object.fromEntries(own))
  }

  const bodies = new Map<number, Schema.Top>()

  /** One body for all errors of a status. */
  const enveloped = (status: number, envelope: ErrorEnvelope.ErrorEnvelope): Schema.Top => {
    const { contentType, schema } = envelope
    const body = wire(Schema.toCodecJson(schema), { isClosed: false, isText: false })
    const isText = SchemaAST.isString(SchemaAST.toEncoded(schema.ast))
    const known = bodies.get(status)
    // With annotations of its own the body would be another component.
    const described =
      known ??
      Schema.suspend(() => body).annotate({
        "~httpApiEncoding": { _tag: isText ? "Text" : "Json", contentType },
        httpApiStatus: status
      })
    bodies.set(status, described)
    return described
  }

  const reply = (schema: Schema.Top, isClosed: boolean): Schema.Top => {
    if (HttpApiSchema.isWithHeaders(schema)) {
      return HttpApiSchema.WithHeaders(reply(schema.schema, isClosed), texts(schema.headers, false))
    }
    const withHeaders = getWithHeadersAnnotation(schema.ast)
    if (withHeaders !== undefined) {
      const body = reply(withHeaders.bodyCodec, isClosed)
      const headersCodec = texts(withHeaders.headersCodec, false)
      return schema.annotate({ "~httpApiWithHeaders": { ...withHeaders, body, headersCodec } })
    }
    if (isStreamSchema(schema)) return stream(schema, isClosed)
    const { _tag, contentType } = getResponseEncodingSchema(schema)
    if (envelope !== undefined && isProblem(contentType)) {
      return enveloped(getStatusErrorSchema(schema), envelope)
    }
    if (_tag === "FormUrlEncoded") return texts(schema, isClosed)
    return isUpgrade(schema) || _tag === "Uint8Array"
      ? schema
      : wire(schema, { isClosed, isText: false })
  }

  const request = (
    { encoding, schemas }: Payload extends ReadonlyMap<string, infer Entry> ? Entry : never,
    isClosed: boolean
  ): ReadonlyArray<Schema.Top> => {
    const present = schemas.flatMap(presentOf)
    switch (encoding._tag) {
      case "FormUrlEncoded":
        return present.map((schema) => texts(schema, isClosed))
      case "Json":
        return present.map((schema) => wire(schema, { isClosed, isText: false }))
      case "Multipart":
        return present.map((schema) => wire(schema, { isClosed, isText: true }))
      default:
        return schemas
    }
  }

  const endpoint = (
    endpoint: HttpApiEndpoint.Top,
    inherited: Annotations,
    last: Transform
  ): HttpApiEndpoint.Top => {
    const annotations = Context.merge(inherited, endpoint.annotations)
    const closed = closedParts(annotations)
    const isOptional = [...endpoint.payload.values()].some(({ schemas }) =>
      schemas.some(mayBeEmpty)
    )
    const payload = [...endpoint.payload].flatMap(([type, entry]) => {
      const schemas = request(entry, closed(HttpApi.PayloadParseOptions))
      return schemas.length === 0 ? [] : [[type, { ...entry, schemas }] as const]
    })
    const isBodyRead = HttpMethod.hasBody(endpoint.method) && payload.length > 0
    const errors = errorsOf(endpoint, isBodyRead)
    const isErrorClosed = closed(HttpApi.ErrorParseOptions)
    const isReplyClosed = closed(HttpApi.SuccessParseOptions)
    const before = Context.getOrUndefined(
      endpoint.annotations as Context.Context<OpenApi.Transform>,
      OpenApi.Transform
    )
    return copy(
      endpoint.annotate(OpenApi.Transform, (operation) => {
        const whole = isOptional ? withOptionalBody(operation) : operation
        const described = envelope === undefined ? whole : withTitles(whole, errors)
        return last({ ...(before === undefined ? described : before(described)) })
      }),
      {
        error: new Set(errors.map((error) => reply(error, isErrorClosed))),
        headers: endpoint.headers && texts(endpoint.headers, false),
        middlewares: securityOf(endpoint),
        params: endpoint.params && texts(endpoint.params, false),
        payload: new Map(payload) as unknown as Payload,
        query: endpoint.query && texts(endpoint.query, false),
        success: new Set([...endpoint.success].map((success) => reply(success, isReplyClosed)))
      }
    )
  }

  const schema = (schema: Schema.Top): Schema.Top =>
    wire(Schema.toCodecJson(schema), { isClosed: false, isText: false })

  return { endpoint, schema }
}

/** Returns an object of Effect's with other own properties. */
export const copy = <A extends object>(value: A, parts: Partial<A>): A =>
  Object.assign(Object.create(Object.getPrototypeOf(value) as object), value, parts) as A

const closedParts =
  (annotations: Annotations) =>
  <Part>(part: Context.Key<Part, SchemaAST.ParseOptions>): boolean => {
    const options =
      Context.getOrUndefined(annotations as Context.Context<Part>, part) ??
      Context.getOrUndefined(
        annotations as Context.Context<HttpApi.ParseOptions>,
        HttpApi.ParseOptions
      )
    return options?.onExcessProperty === "error"
  }

const mayBeEmpty = ({ ast }: Schema.Top): boolean =>
  HttpApiSchema.isNoContent(ast) || EmptyBody.of(ast) !== undefined

/** Returns the schema without the values that stand for no body. */
const presentOf = (schema: Schema.Top): ReadonlyArray<Schema.Top> => {
  const { ast } = schema
  if (HttpApiSchema.isNoContent(ast)) return [schema]
  if (EmptyBody.isNothing(ast)) return []
  if (!SchemaAST.isUnion(ast) || !mayBeEmpty(schema)) return [schema]
  const types = ast.types.filter((type) => !EmptyBody.isNothing(type))
  const [only] = types
  return types.length === 1 && only !== undefined && ast.annotations === undefined
    ? [Schema.make(only)]
    : [Schema.make(new SchemaAST.Union(types, ast.options, ast.annotations, ast.checks))]
}

const withOptionalBody: Transform = (operation) => {
  const { requestBody } = operation
  return typeof requestBody === "object"
    ? { ...operation, requestBody: { ...requestBody, required: false } }
    : operation
}

/** Names the errors of each status: bodies in an envelope do not differ by error. */
const withTitles = (
  operation: Readonly<Record<string, unknown>>,
  errors: ReadonlyArray<Schema.Top>
): Record<string, unknown> => {
  // Effect makes the operation.
  const { responses } = operation as unknown as OpenApi.OpenAPISpecOperation
  const named = Object.entries(responses).map(([status, response]) => {
    const titles = errors.flatMap((error) => {
      const title = getStatusErrorSchema(error) === Number(status) ? titleOf(error) : undefined
      return title === undefined ? [] : [title]
    })
    const description = [...new Set(titles)].join(" | ")
    return [status, description === "" ? response : { ...response, description }]
  })
  return { ...operation, responses: Object.fromEntries(named) }
}

const titleOf = (error: Schema.Top): string | undefined => {
  const body = HttpApiSchema.isWithHeaders(error)
    ? error.schema
    : (getWithHeadersAnnotation(error.ast)?.bodyCodec ?? error)
  return SchemaAST.resolveDescription(body.ast) ?? SchemaAST.resolveIdentifier(body.ast)
}

/** The statuses of the standard errors that only a body can cause. */
const ofBodies: ReadonlySet<number> = new Set([413, 415])

const errorsOf = (
  endpoint: HttpApiEndpoint.Top,
  isBodyRead: boolean
): ReadonlyArray<Schema.Top> => {
  const own = [...endpoint.middlewares].filter(({ key }) => key !== StandardErrors.key)
  const standard = [...endpoint.middlewares].filter(({ key }) => key === StandardErrors.key)
  return [
    ...getErrorSchemas(copy(endpoint, { middlewares: new Set(own) })),
    ...getErrorSchemas(copy(endpoint, { error: new Set(), middlewares: new Set(standard) })).filter(
      (error) => isBodyRead || !ofBodies.has(getStatusErrorSchema(error))
    )
  ]
}

/** Returns the ways to authenticate. The errors of middleware are among those of the endpoint. */
const securityOf = (endpoint: HttpApiEndpoint.Top): HttpApiEndpoint.Top["middlewares"] =>
  new Set(
    [...endpoint.middlewares].flatMap((key) => {
      // Every key of an endpoint's middleware is its service.
      const service = key as unknown as HttpApiMiddleware.AnyService
      return HttpApiMiddleware.isSecurity(service)
        ? [HttpApiMiddleware.Service<never>()(key.key, { security: service.security })]
        : []
    })
  )

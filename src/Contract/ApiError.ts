/** Errors that know their answer on the wire: RFC 9457 problem documents with a stable code. */
import * as HttpApiError from "effect/http-api/HttpApiError"
import * as Schema from "effect/Schema"

/** What an error says of itself. */
export interface Declaration<Status extends number, Code extends string, Props> {
  /** Stable name of the error for programs, in SCREAMING_SNAKE_CASE. */
  readonly code: Code
  /** A sentence for people about this occurrence; given the error's own fields. */
  readonly detail: ((error: Props) => string) | string
  /** HTTP status, 400 to 599. */
  readonly status: Status
  /** A short summary of the kind of error. The default is the code in words. */
  readonly title?: string | undefined
}

/** The members of a problem document beside those of RFC 9457 and the error's own fields. */
export interface Members<Code extends string> {
  readonly code: Schema.tag<Code>
  readonly correlationId: Schema.optionalKey<Schema.String>
}

type Type = `urn:problem:${string}`

/** The fields that the constructor of an error takes: its own. */
export type Props<Fields extends Schema.Struct.Fields> = Schema.Struct.MakeIn<Fields>

type MissingSelf =
  'Name the class itself: class NotFound extends ApiError.make<NotFound>()("NotFound", ...)'

/**
 * Makes the class of an error: a typed failure of a handler, an entry of the
 * OpenAPI document, the same class again in the client, and on the wire
 *
 * ```json
 * {
 *   "type": "urn:problem:item-not-found", "title": "Item not found", "status": 404,
 *   "detail": "Item 7 does not exist", "instance": "/v1/items/7",
 *   "code": "ITEM_NOT_FOUND", "correlationId": "0198...", "id": "7"
 * }
 * ```
 *
 * with content type `application/problem+json`. `instance` is the path of the
 * request and `correlationId` its request id; the server fills them in. `type`
 * is a URN made of the code.
 *
 * Source: RFC 9457; built on Effect's `HttpApiError.Problem`.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import { ApiError } from "flange"
 *
 * class ItemNotFound extends ApiError.make<ItemNotFound>()(
 *   "ItemNotFound",
 *   { code: "ITEM_NOT_FOUND", detail: ({ id }) => `Item ${id} does not exist`, status: 404 },
 *   { id: Schema.String }
 * ) {}
 *
 * new ItemNotFound({ id: "7" }).detail // => "Item 7 does not exist"
 * ```
 */
export const make =
  <Self = never>() =>
  <
    const Tag extends string,
    const Code extends string,
    const Status extends number,
    const Fields extends Schema.Struct.Fields = {}
  >(
    tag: Tag,
    declaration: Declaration<Status, Code, Schema.Struct.Type<Fields>>,
    fields?: Fields
  ): [Self] extends [never] ? MissingSelf : ApiErrorClass<Self, Tag, Code, Status, Fields> => {
    const title = declaration.title ?? sentence(declaration.code)
    const Base = HttpApiError.Problem<never>()(
      tag,
      {
        status: declaration.status,
        title,
        type: `urn:problem:${declaration.code.toLowerCase().replaceAll("_", "-")}`
      },
      {
        code: Schema.tag(declaration.code),
        correlationId: Schema.optionalKey(Schema.String),
        ...fields
      }
    ) as unknown as new (props: object, options?: unknown) => object
    class WithDetail extends Base {
      constructor(props: object = {}, options?: unknown) {
        const { detail } = declaration
        super(
          // A decoded error brings its detail along; a new one computes it.
          "detail" in props
            ? props
            : {
                ...props,
                detail: typeof detail === "string" ? detail : detail(props as never)
              },
          options
        )
      }
    }
    return Object.assign(WithDetail, {
      code: declaration.code,
      status: declaration.status
    }) as never
  }

/** The class that `ApiError.make` gives. */
export type ApiErrorClass<
  Self,
  Tag extends string,
  Code extends string,
  Status extends number,
  Fields extends Schema.Struct.Fields
> = Omit<HttpApiError.ProblemClass<Self, Tag, Type, Status, Fields & Members<Code>, {}>, never> & {
  new (
    ...args: {} extends Props<Fields> ? [props?: Props<Fields>] : [props: Props<Fields>]
  ): InstanceType<HttpApiError.ProblemClass<Self, Tag, Type, Status, Fields & Members<Code>, {}>>
  readonly code: Code
  readonly status: Status
}

const sentence = (code: string): string => {
  const words = code.toLowerCase().replaceAll("_", " ")
  return words.charAt(0).toUpperCase() + words.slice(1)
}

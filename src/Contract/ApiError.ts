/** Errors that are RFC 9457 problem documents on the wire, with a stable code. */
import * as Effect from "effect/Effect"
import * as HttpApiError from "effect/http-api/HttpApiError"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as Schema from "effect/Schema"
import * as ProblemBody from "./ProblemBody.ts"

/** The parts of an error that all its occurrences share. */
export interface Declaration<Status extends number, Code extends string, Props> {
  /** Stable name of the error for programs, in SCREAMING_SNAKE_CASE. */
  readonly code: Code
  /** A sentence for people about one occurrence, from the error's own fields. */
  readonly detail: ((error: Props) => string) | string
  /** A sentence for the reference of errors: when the server answers with it. */
  readonly meaning?: string | undefined
  /** A sentence for the reference of errors: what the caller or the owner of the service can do. */
  readonly remedy?: string | undefined
  /** HTTP status, 400 to 599. */
  readonly status: Status
  /** A short summary of the kind of error. The default is the code in words. */
  readonly title?: string | undefined
}

/** The members that Flange adds to those of RFC 9457 and the error's own fields. */
export interface Members<Code extends string> {
  readonly code: Schema.tag<Code>
  readonly correlationId: Schema.optionalKey<Schema.String>
}

type Type = `urn:problem:${string}`

/** The argument of an error's constructor: the error's own fields. */
export type Props<Fields extends Schema.Struct.Fields> = Schema.Struct.MakeIn<Fields>

type Digit = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9

type MissingSelf =
  'Name the class itself: class NotFound extends ApiError.make<NotFound>()("NotFound", ...)'

/** The compiler's message for a class that cannot be an error; never if it can. */
type Mistake<Self, Code extends string, Status extends number> = [Self] extends [never]
  ? MissingSelf
  : Code extends Uppercase<Code>
    ? number extends Status
      ? never
      : `${Status}` extends `${4 | 5}${Digit}${Digit}`
        ? never
        : `Use a status from 400 to 599, not ${Status}`
    : string extends Code
      ? never
      : `Write the code ${Code} in capitals`

/**
 * Creates the class of an error. A handler fails with it, the OpenAPI document lists it, and the
 * typed client fails with the same class. The reply is
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
 * `code`, `meaning`, `remedy` and `status` are also static members of the class, so that a
 * reference of errors can be generated from them.
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
  ): [Mistake<Self, Code, Status>] extends [never]
    ? ApiErrorClass<Self, Tag, Code, Status, Fields>
    : Mistake<Self, Code, Status> => {
    // The types cannot check a code or a status that is computed.
    const { code, detail, meaning = "", remedy = "", status } = declaration
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new RangeError(
        `The status of error "${tag}" is ${status}. Use an integer from 400 to 599.`
      )
    }
    if (!/^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/.test(code)) {
      throw new TypeError(
        `The code of error "${tag}" is "${code}". Use capitals, digits and single underscores, as in "ITEM_NOT_FOUND".`
      )
    }
    const title = declaration.title ?? sentence(code)
    const Base = HttpApiError.Problem<never>()(
      tag,
      {
        status,
        title,
        type: `urn:problem:${code.toLowerCase().replaceAll("_", "-")}`
      },
      {
        code: Schema.tag(code),
        correlationId: Schema.optionalKey(Schema.String),
        ...fields
      }
      // The signature above has the type of the class. Effect's type requires `Self`, which is not
      // known here.
    ) as unknown as ProblemBase
    const encode = Schema.encodeUnknownEffect(Schema.Struct(Base.fields))
    class WithDetail extends Base {
      constructor(props: object = {}, options?: unknown) {
        super(
          // A decoded error has its detail already.
          "detail" in props
            ? props
            : {
                ...props,
                detail: typeof detail === "string" ? detail : detail(props as never)
              },
          options
        )
      }

      [HttpServerRespondable.symbol]() {
        return Effect.mapEager(encode(this), (members) => ProblemBody.toResponse(members, status))
      }
    }
    return Object.assign(WithDetail, { code, meaning, remedy, status }) as never
  }

interface ProblemBase {
  new (props: object, options?: unknown): object
  readonly fields: Readonly<Record<string, Schema.ConstraintCodec<unknown, unknown>>>
}

/** The class that `ApiError.make` creates. */
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
  /** When the server answers with the error; empty if not declared. */
  readonly meaning: string
  /** What to do about the error; empty if not declared. */
  readonly remedy: string
  readonly status: Status
}

const sentence = (code: string): string => {
  const words = code.toLowerCase().replaceAll("_", " ")
  return words.charAt(0).toUpperCase() + words.slice(1)
}

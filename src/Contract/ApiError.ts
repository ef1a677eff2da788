/** Errors that are RFC 9457 problem documents on the wire, with a stable code. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpApiError from "effect/http-api/HttpApiError"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import * as ProblemBody from "./ProblemBody.ts"

/** The parts of an error that all its occurrences share. */
export interface Declaration<
  Status extends number,
  Code extends string,
  Fields extends Schema.Struct.Fields = {},
  Internal extends keyof Fields = never,
  Expose extends keyof Fields = never
> {
  /** Stable name of the error for programs, in SCREAMING_SNAKE_CASE. */
  readonly code: Code
  /**
   * A sentence for people about one occurrence, from the error's own fields. The client gets it,
   * so do not write a field of `internal` into it. For a status of 500 or more, the function gets
   * only the fields of `expose`.
   */
  readonly detail:
    | ((
        error: Schema.Struct.Type<
          IsClientError<Status> extends true ? Fields : Pick<Fields, Expose>
        >
      ) => string)
    | string
  /** The fields that the client gets if the status is 500 or more. The default is none. */
  readonly expose?: ReadonlyArray<Expose> | undefined
  /** The fields that the client does not get if the status is below 500. The default is none. */
  readonly internal?: ReadonlyArray<Internal> | undefined
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

/** Whether a status is known to be one of 400 to 499. */
type IsClientError<Status extends number> = [`${Status}`] extends [`4${string}`] ? true : false

/** The names of the fields that the client does not get. */
type Hidden<Status extends number, Fields, Internal, Expose> =
  IsClientError<Status> extends true ? Internal : Exclude<keyof Fields, Expose>

type MissingSelf =
  'Name the class itself: class NotFound extends ApiError.make<NotFound>()("NotFound", ...)'

type MissingParentheses =
  "Write empty parentheses before the arguments: class NotFound extends ApiError.make<NotFound>()(...)"

const needlessExpose =
  "The client gets all fields of a 4xx: leave out expose, and name in internal those that it must not get"

const needlessInternal =
  "The client gets no field of a 5xx: leave out internal, and name in expose those that it may get"

/** The members of every problem document. A field with such a name would take the place of one. */
const members = ["code", "correlationId", "detail", "instance", "status", "title", "type"] as const

type Member = (typeof members)[number]

/** The compiler's message for a class that cannot be an error; never if it can. */
type Mistake<Self, Code extends string, Status extends number, Names, Internal, Expose> = [
  Self
] extends [never]
  ? MissingSelf
  : string extends Code
    ? never
    : Code extends Uppercase<Code>
      ? MistakenField<Names> | MistakenStatus<Status, Internal, Expose>
      : `Write the code ${Code} in capitals`

type MistakenField<Names> = string extends Names
  ? never
  : [Names & Member] extends [never]
    ? never
    : `Rename the field ${Names & Member}: every error has a member of this name`

type MistakenStatus<Status extends number, Internal, Expose> = number extends Status
  ? never
  : `${Status}` extends `4${Digit}${Digit}`
    ? Needless<Expose, typeof needlessExpose>
    : `${Status}` extends `5${Digit}${Digit}`
      ? Needless<Internal, typeof needlessInternal>
      : `Use a status from 400 to 599, not ${Status}`

type Needless<Names, Message> = [Names] extends [never] ? never : Message

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
 * The client gets the fields of an error with a status below 500, except those that `internal`
 * names. It gets no field of an error with a status of 500 or more, except those that `expose`
 * names. A field that the client does not get is in no body, not in the OpenAPI document, and
 * undefined in the error of the typed client. The constructor requires it, and the server's log
 * has it. No field can have the name of a member that every error has: `code`, `correlationId`,
 * `detail`, `instance`, `status`, `title` or `type`.
 *
 * `code`, `meaning`, `remedy` and `status` are also static members of the class, so that a
 * reference of errors can be generated from them.
 *
 * Source: RFC 9457; built on Effect's `HttpApiError.Problem`.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import { ApiError } from "flange/Contract"
 *
 * class ItemNotFound extends ApiError.make<ItemNotFound>()(
 *   "ItemNotFound",
 *   {
 *     code: "ITEM_NOT_FOUND",
 *     detail: ({ id }) => `Item ${id} does not exist`,
 *     internal: ["shard"],
 *     status: 404
 *   },
 *   { id: Schema.String, shard: Schema.Int }
 * ) {}
 *
 * const error = new ItemNotFound({ id: "7", shard: 3 })
 * error.detail // => "Item 7 does not exist"
 * "shard" in Schema.encodeSync(ItemNotFound)(error) // => false
 * ```
 */
export const make =
  <Self = never>(..._parentheses: ReadonlyArray<MissingParentheses>): Make<Self> =>
  (tag, declaration, fields) =>
    // The signature has the type of the class. Its parts depend on types that are not known here.
    classOf(tag, declaration as AnyDeclaration, fields ?? {}) as never

/** Creates the class of an error: the function that `ApiError.make<Self>()` returns. */
export interface Make<Self> {
  <
    const Tag extends string,
    const Code extends string,
    const Status extends number,
    const Fields extends Schema.Struct.Fields = {},
    const Internal extends keyof Fields = never,
    const Expose extends keyof Fields = never
  >(
    tag: Tag,
    declaration: Declaration<Status, Code, Fields, Internal, Expose>,
    fields?: Fields
  ): [Mistake<Self, Code, Status, keyof Fields, Internal, Expose>] extends [never]
    ? ApiErrorClass<Self, Tag, Code, Status, Fields, Hidden<Status, Fields, Internal, Expose>>
    : Mistake<Self, Code, Status, keyof Fields, Internal, Expose>
}

/** A declaration whose type parameters are not known. */
interface AnyDeclaration extends Declaration<number, string, Schema.Struct.Fields, string, string> {
  readonly detail: ((error: object) => string) | string
}

const classOf = (tag: string, declaration: AnyDeclaration, fields: Schema.Struct.Fields) => {
  check(tag, declaration, fields)
  const {
    code,
    detail,
    expose = [],
    internal = [],
    meaning = "",
    remedy = "",
    status
  } = declaration
  const sent = status < 500 ? Struct.omit(fields, internal) : Struct.pick(fields, expose)
  const hidden = Schema.Struct(Struct.omit(fields, Object.keys(sent)))
  const hides = Object.keys(hidden.fields).length > 0
  const title = declaration.title ?? sentence(code)
  const Base: ProblemBase = HttpApiError.Problem<Error>()(
    tag,
    { status, title, type: ProblemBody.typeOf(code) },
    { code: Schema.tag(code), correlationId: Schema.optionalKey(Schema.String), ...sent }
  )
  const encode = Schema.encodeUnknownEffect(Schema.Struct(Base.fields))
  class Occurrence extends Base {
    constructor(props: Readonly<Record<string, unknown>> = {}, options?: Schema.MakeOptions) {
      super(props, options)
      // Only the members that a schema has decoded or made have the type.
      if ("type" in props) return
      if (hides) {
        for (const [name, value] of Object.entries(hidden.make(props))) {
          // What copies or writes the error must not have it.
          Object.defineProperty(this, name, { value })
        }
      }
      if (typeof detail === "string") this.detail ??= detail
      else if (status < 500) this.detail ??= detail(this)
      else
        this.detail ??= detail(
          Object.fromEntries(expose.map((name) => [name, Reflect.get(this, name)]))
        )
    }

    [HttpServerRespondable.symbol]() {
      return Effect.mapEager(encode(this), (members) => ProblemBody.toResponse(members, status))
    }
  }
  return Object.assign(Occurrence, { code, meaning, remedy, status })
}

/** Throws if a declaration that the types do not know cannot be that of an error. */
const check = (
  tag: string,
  { code, expose = [], internal = [], status }: AnyDeclaration,
  fields: object
): void => {
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
  const [needless, advice] = status < 500 ? [expose, needlessExpose] : [internal, needlessInternal]
  if (needless.length > 0) {
    throw new TypeError(`Error "${tag}" has the status ${status}. ${advice}.`)
  }
  const taken = members.find((name) => Object.hasOwn(fields, name))
  if (taken !== undefined) {
    throw new TypeError(
      `Error "${tag}" has a field "${taken}", and every error has a member of this name. Rename the field.`
    )
  }
  for (const name of [...expose, ...internal]) {
    if (!Object.hasOwn(fields, name)) {
      throw new TypeError(
        `Error "${tag}" has no field "${name}". Its fields are: ${Object.keys(fields).join(", ")}.`
      )
    }
  }
}

interface ProblemBase {
  new (props: object, options?: Schema.MakeOptions): { detail?: string }
  readonly fields: Readonly<Record<string, Schema.ConstraintCodec<unknown, unknown>>>
}

/**
 * The class that `ApiError.make` creates. `Hidden` are the names of the fields that the client does
 * not get: the constructor requires them, and an error of the typed client does not have them.
 */
export type ApiErrorClass<
  Self,
  Tag extends string,
  Code extends string,
  Status extends number,
  Fields extends Schema.Struct.Fields,
  Hidden extends keyof Fields = never
> = Omit<Sent<Self, Tag, Code, Status, Fields, Hidden>, never> & {
  new (
    ...args: {} extends Props<Fields> ? [props?: Props<Fields>] : [props: Props<Fields>]
  ): Occurrence<Tag, Sent<Self, Tag, Code, Status, Fields, Hidden>["fields"], Fields, Hidden>
  readonly code: Code
  /** When the server answers with the error; empty if not declared. */
  readonly meaning: string
  /** What to do about the error; empty if not declared. */
  readonly remedy: string
  readonly status: Status
}

/**
 * An error. `InstanceType` of `Sent` is the same, but the compiler would compute the argument of a
 * constructor that nobody calls.
 */
type Occurrence<
  Tag extends string,
  SentFields extends Schema.Struct.Fields,
  Fields extends Schema.Struct.Fields,
  Hidden extends keyof Fields
> = Cause.YieldableError &
  HttpServerRespondable.Respondable &
  HiddenFields<Fields, Hidden> &
  Schema.Struct.Type<SentFields> & { readonly _tag: Tag }

/** The fields that the client does not get, as an error has them. */
type HiddenFields<Fields extends Schema.Struct.Fields, Hidden extends keyof Fields> = {
  readonly [Name in Hidden]?: Schema.Struct.Type<Fields>[Name & keyof Schema.Struct.Type<Fields>]
}

/** The class whose schema has what the client gets. */
type Sent<
  Self,
  Tag extends string,
  Code extends string,
  Status extends number,
  Fields extends Schema.Struct.Fields,
  Hidden extends keyof Fields
> = HttpApiError.ProblemClass<
  Self,
  Tag,
  Type,
  Status,
  Omit<Fields, Hidden> & Members<Code>,
  HiddenFields<Fields, Hidden>
>

const sentence = (code: string): string => {
  const words = code.toLowerCase().replaceAll("_", " ")
  return words.charAt(0).toUpperCase() + words.slice(1)
}

import * as Context from "effect/Context"
import * as Schema from "effect/Schema"
import type * as Types from "effect/Types"

const TypeId = "~flange/Config/Section"

/**
 * The identifier of a section in the requirements of an effect. An effect that reads a section
 * requires `Section<Name, A>`, so that an app without the section does not compile.
 */
export interface Section<Name extends string, in out A> {
  readonly [TypeId]: { readonly name: Name; readonly type: Types.Invariant<A> }
}

/** Any section: what a list of sections holds. */
export interface AnySection extends Context.Key<unknown, unknown> {
  /** The schema whose encoded side is what files contain. */
  readonly schema: Schema.ConstraintDecoder<unknown>
  /** The top-level key of the section in files. */
  readonly sectionName: string
  /** Short variable names, each with the dotted key that it sets inside the section. */
  readonly variables: Readonly<Record<string, string>>
}

/** A section as a service key: `yield*` it to read the decoded values. */
export interface SectionKey<Name extends string, in out A> extends Context.Service<
  Section<Name, A>,
  A
> {
  /** The schema whose encoded side is what files contain. */
  readonly schema: Schema.ConstraintDecoder<A>
  /** The top-level key of the section in files. */
  readonly sectionName: Name
  /** Short variable names, each with the dotted key that it sets inside the section. */
  readonly variables: Readonly<Record<string, string>>
}

/** The optional part of a section. */
export interface SectionOptions {
  /** Short variable names, each with the dotted key that it sets: `{ PORT: "port" }`. */
  readonly variables?: Readonly<Record<string, string>> | undefined
}

/** The fields of a section: each decodes without services. */
export interface SectionFields {
  readonly [key: PropertyKey]: Schema.ConstraintDecoder<unknown>
}

const make = <Name extends string, A>(
  sectionName: Name,
  schema: Schema.ConstraintDecoder<A>,
  variables: Readonly<Record<string, string>>
): SectionKey<Name, A> =>
  Object.assign(Context.Service<Section<Name, A>, A>(`flange/Config/${sectionName}`), {
    schema,
    sectionName,
    variables
  })

/**
 * Declares a typed section of the configuration. The result is the key of a service: yielding it
 * gives the decoded values, and requires the section in the type of the effect.
 *
 * The second argument is the fields of a struct or any schema. Values of files are its encoded
 * side; strings from variables are turned into numbers, booleans and lists where it wants them.
 * `variables` names variables that set a key without the `FLANGE__` prefix. The names `env` and
 * `environments` are reserved; `Config.load` refuses them.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as Config from "flange/Config"
 *
 * const ServerConfig = Config.section("server", {
 *   host: Schema.String.pipe(Schema.withDecodingDefaultKey(Effect.succeed("127.0.0.1"))),
 *   port: Config.Port
 * }, { variables: { HOST: "host", PORT: "port" } })
 *
 * export const address = Effect.gen(function*() {
 *   const server = yield* ServerConfig
 *   return `${server.host}:${server.port}`
 * })
 * ```
 */
export function section<const Name extends string, A>(
  name: Name,
  schema: Schema.ConstraintDecoder<A>,
  options?: SectionOptions
): SectionKey<Name, A>
export function section<const Name extends string, const Fields extends SectionFields>(
  name: Name,
  fields: Fields,
  options?: SectionOptions
): SectionKey<Name, Schema.Struct<Fields>["Type"]>
export function section(
  name: string,
  shape: Schema.ConstraintDecoder<unknown> | SectionFields,
  options?: SectionOptions
): AnySection {
  const schema = isSchema(shape) ? shape : Schema.Struct(shape)
  return make<string, unknown>(name, schema, options?.variables ?? {})
}

const isSchema = (
  shape: Schema.ConstraintDecoder<unknown> | SectionFields
): shape is Schema.ConstraintDecoder<unknown> => Schema.isSchema(shape)

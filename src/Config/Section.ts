/** Sections: typed parts of the configuration, each the key of a service. */
import * as Context from "effect/Context"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import type * as Types from "effect/Types"
import * as OwnKeys from "../Contract/OwnKeys.ts"
import { type Problem, problemAt } from "./ConfigError.ts"
import type { Nodes } from "./SchemaTree.ts"
import { forbiddenKeys } from "./Tree.ts"

const TypeId = "~flange/Config/Section"

/**
 * The identifier of a section in the requirements of an effect. An effect that reads a section
 * requires `Section<Name, A>`, so that an app without the section does not compile.
 */
export interface Section<Name extends string, in out A> {
  readonly [TypeId]: { readonly name: Name; readonly type: Types.Invariant<A> }
}

/** A reason why a section is refused, although each of its values fits the schema. */
export interface SectionIssue {
  /** What to write instead. Default: what the schema of the key takes. */
  readonly expected?: string | undefined
  /** The dotted key inside the section, as in files. Default: the section itself. */
  readonly key?: string | undefined
  /** Why the value is refused; the report puts it between parentheses. */
  readonly reason: string
}

/** A section of any type, for lists of sections. */
export interface AnySection extends Context.Key<unknown, unknown> {
  /**
   * Checks the decoded values in the given environment. It is called only with values that `schema`
   * decoded. It is a method, because TypeScript then accepts a section of any type as an
   * `AnySection`.
   */
  check(value: unknown, environment: string): ReadonlyArray<SectionIssue>
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
  /** Checks the decoded values in the given environment. */
  check(value: A, environment: string): ReadonlyArray<SectionIssue>
  /** The schema whose encoded side is what files contain. */
  readonly schema: Schema.ConstraintDecoder<A>
  /** The top-level key of the section in files. */
  readonly sectionName: Name
  /** Short variable names, each with the dotted key that it sets inside the section. */
  readonly variables: Readonly<Record<string, string>>
}

/** The options of `section`. */
export interface SectionOptions<A> {
  /**
   * Checks the decoded values and the name of the environment. `Config.load` reports the issues
   * with all other problems. Default: no issues.
   */
  check?(value: A, environment: string): ReadonlyArray<SectionIssue>
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
  { check = () => [], variables = {} }: SectionOptions<A>
): SectionKey<Name, A> =>
  Object.assign(Context.Service<Section<Name, A>, A>(`flange/Config/${sectionName}`), {
    check,
    schema,
    sectionName,
    variables
  })

/**
 * Declares a typed section of the configuration. The result is the key of a service. An effect that
 * yields the key receives the decoded values, and its type requires the section.
 *
 * The second argument is the fields of a struct, or a schema. Files contain the encoded side of
 * that schema. The text of a variable becomes a number, a boolean or a list if the schema takes
 * one. `variables` names variables that set a key without the `FLANGE__` prefix. `check` refuses
 * values that the schema cannot refuse: those that contradict each other, and those that one
 * environment must not have. The names `env` and `environments` are reserved; `Config.load` refuses
 * them.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as Config from "flange/Config"
 *
 * const ServerConfig = Config.section("server", {
 *   host: Schema.String.pipe(Config.withDefault("127.0.0.1")),
 *   port: Config.Port
 * }, {
 *   check: ({ port }, environment) =>
 *     environment === "production" && port === 0
 *       ? [{ expected: "a fixed port", key: "port", reason: "clients could not find a random one" }]
 *       : [],
 *   variables: { HOST: "host", PORT: "port" }
 * })
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
  options?: SectionOptions<A>
): SectionKey<Name, A>
export function section<const Name extends string, const Fields extends SectionFields>(
  name: Name,
  fields: Fields,
  options?: SectionOptions<Schema.Struct<Fields>["Type"]>
): SectionKey<Name, Schema.Struct<Fields>["Type"]>
export function section(
  name: string,
  shape: Schema.ConstraintDecoder<unknown> | SectionFields,
  options: SectionOptions<unknown> = {}
): AnySection {
  const schema = isSchema(shape) ? shape : Schema.Struct(shape)
  return make<string, unknown>(name, schema, options)
}

const isSchema = (
  shape: Schema.ConstraintDecoder<unknown> | SectionFields
): shape is Schema.ConstraintDecoder<unknown> => Schema.isSchema(shape)

/** A section that `compile` has prepared for `load`. */
export interface Compiled {
  /** The schema, with an encoded side that is JSON. */
  readonly codec: Schema.ConstraintDecoder<unknown>
  /** The schema as its author wrote it, for descriptions. */
  readonly declared: Nodes
  /** The encoded side of `codec`: what files contain. */
  readonly encoded: Nodes
  readonly name: string
  /** The schema of `codec`, with its transformations. */
  readonly nodes: Nodes
  readonly section: AnySection
  readonly variables: Readonly<Record<string, string>>
}

const reserved: ReadonlySet<string> = new Set([...forbiddenKeys, "env", "environments"])

/** Compiles each section once, and reports every name that is unusable or taken. */
export const compile = (
  sections: ReadonlyArray<AnySection>
): { readonly compiled: ReadonlyArray<Compiled>; readonly problems: ReadonlyArray<Problem> } => {
  const byName = new Map<string, AnySection>()
  const problems: Array<Problem> = []
  for (const section of sections) {
    const name = section.sectionName
    const other = byName.get(name)
    if (reserved.has(name) || !/^[A-Za-z][A-Za-z0-9_-]*$/.test(name)) {
      problems.push(
        problemAt(
          name,
          "sections",
          "a name of letters, digits, - and _ that is not reserved",
          `The section name ${JSON.stringify(name)} is ${reserved.has(name) ? "reserved" : "not valid"}: ` +
            "choose a name of letters, digits, - and _."
        )
      )
    } else if (other === undefined) {
      byName.set(name, section)
    } else if (other !== section) {
      problems.push(
        problemAt(
          name,
          "sections",
          "one section of each name",
          `Two different sections are called ${name}: rename one, or share one declaration.`
        )
      )
    }
  }
  const compiled = [...byName].map(([name, section]): Compiled => {
    const codec = Schema.toCodecJson(section.schema)
    return {
      codec: OwnKeys.decoding(codec),
      declared: [section.schema.ast],
      encoded: [SchemaAST.toEncoded(codec.ast)],
      name,
      nodes: [codec.ast],
      section,
      variables: section.variables
    }
  })
  return { compiled, problems }
}

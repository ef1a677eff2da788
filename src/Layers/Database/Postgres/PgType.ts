/** The decoders of PostgreSQL types that the plugins of an app contribute. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { AppRuntime } from "../../../Plugin/AppRuntime.ts"
import * as Contribution from "../../../Plugin/Contribution.ts"

/**
 * Makes a JavaScript value of one value of a PostgreSQL type, either of its text or of
 * the bytes that the type's send function returns. What it throws fails the query.
 */
export type PgDecoder =
  | { readonly fromBytes: (bytes: Uint8Array) => unknown }
  | { readonly fromText: (text: string) => unknown }

const kind = Contribution.kind<PgDecoder, void>()("pgType")

/**
 * Creates the contribution of a decoder for values of a PostgreSQL type that the driver
 * does not know: a range, a composite type, a type of an extension. `name` is that of the
 * type, if necessary with its schema, such as `geo.point3`. Without a decoder the values
 * of such a type are the text that PostgreSQL has for them.
 *
 * - `fromText` gets that text. Each 1000 values take a further query.
 * - `fromBytes` gets the binary form, takes no further query, and also decodes the
 *   arrays of the type.
 *
 * Enums and domains need no decoder. Types that the driver knows, such as `int8` and
 * `numeric`, keep its values. Parameters need no decoder either: PostgreSQL reads text.
 *
 * @example
 * ```ts
 * import { Plugin } from "flange"
 * import * as Database from "flange/Database"
 *
 * const Networks = Plugin.make("app:networks", {
 *   contributes: [
 *     Database.pgType("macaddr", { fromText: (text) => text.replaceAll(":", "-") })
 *   ]
 * })
 * Networks.id // => "app:networks"
 * ```
 */
export const pgType = (
  name: string,
  decoder: PgDecoder
): Contribution.Open<"pgType", PgDecoder, void> => kind.make(name, decoder)

/** Returns the decoders of the app by the names of their types. */
export const decoders: Effect.Effect<ReadonlyMap<string, PgDecoder>> = Effect.map(
  Effect.serviceOption(AppRuntime),
  (runtime) =>
    new Map(
      Option.match(runtime, { onNone: () => [], onSome: ({ description }) => description.plugins })
        .flatMap(({ contributions }) => contributions)
        .filter((contribution) => contribution.kind === kind.name)
        // Only `pgType` makes contributions of this kind.
        .map(({ data, name }) => [name, data as PgDecoder] as const)
    )
)

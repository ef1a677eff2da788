/** Public keys: those of the configuration that every client may read. */
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as OwnKeys from "../Contract/OwnKeys.ts"
import { type Problem, problemAt } from "./ConfigError.ts"
import { child, descend, expand, isSecret, keysOf, type Nodes } from "./SchemaTree.ts"
import type { Compiled } from "./Section.ts"
import { getPath, type KeyPath, mergeAll, singleton, type Tree, tree } from "./Tree.ts"

const annotation = "flange/Config/public"

/** Whether the schema of a key has the mark. */
export const isPublic = (nodes: Nodes): boolean =>
  expand(nodes).some((ast) => SchemaAST.resolve(ast)?.[annotation] === true)

/** What is wrong with a schema that cannot be public; the schema itself if it can. */
type NotSecret<S extends Schema.Top> = [S["Type"]] extends [Redacted.Redacted<unknown>]
  ? "A secret cannot be public: remove `Config.public`"
  : S

/**
 * Marks a key of a section as public: every client may read its value, with those of all other
 * public keys, at the endpoint of the battery `flange/PublicConfig`. Without the battery nothing
 * serves it. A secret cannot be public.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import { App, Config, Plugin } from "flange"
 *
 * const ShopConfig = Config.section("shop", {
 *   currency: Schema.String.pipe(Config.withDefault("EUR"), Config.public),
 *   key: Config.Secret
 * })
 * const Shop = Plugin.make("app:shop", { config: [ShopConfig] })
 *
 * const [shop] = App.describe(App.make("shop", [Shop])).plugins
 * shop?.publicKeys // => ["shop.currency"]
 * ```
 */
const mark = <S extends Schema.Top>(self: NotSecret<S> & S): S["Rebuild"] =>
  self.annotate({ [annotation]: true })

export { mark as public }

/**
 * The values of the public keys, as in a file: an object for each section with public keys. Empty if
 * no configuration was loaded.
 */
export const Published: Context.Reference<Tree> = Context.Reference<Tree>(
  "flange/Config/Published",
  { defaultValue: () => tree([]) }
)

/** Returns the outermost public keys of schemas, as paths. */
export const publicPaths = (nodes: Nodes, path: KeyPath = []): ReadonlyArray<KeyPath> =>
  path.length > 8
    ? [] // A schema that contains itself has no last key.
    : keysOf(nodes).flatMap((key) => {
        const inner = child(nodes, key)
        const place = [...path, key]
        return isPublic(inner) ? [place] : publicPaths(inner, place)
      })

/** Returns a problem for each public key with a secret in it. */
export const secretProblems = ({ declared, name }: Compiled): ReadonlyArray<Problem> =>
  publicPaths(declared).flatMap((path) => {
    if (!isSecret(declared, path, "")) return []
    const key = [name, ...path].join(".")
    return [
      problemAt(
        key,
        "sections",
        "a key without a secret",
        `${key} is public and has a secret in it: remove Config.public, or mark the keys inside it that are no secrets.`
      )
    ]
  })

/** Returns the public values of a section that was decoded. */
export const publish = ({ declared, name, nodes }: Compiled, decoded: unknown): Tree =>
  mergeAll(
    publicPaths(declared).flatMap((path) => {
      const value = getPath(decoded, path)
      const ast = descend(nodes, path)[0]
      if (value === undefined || ast === undefined) return []
      const codec = OwnKeys.encoding(Schema.make<Schema.ConstraintCodec<unknown>>(ast))
      const encoded = Schema.encodeUnknownExit(codec)(value)
      return Exit.isSuccess(encoded) ? [singleton([name, ...path], encoded.value)] : []
    })
  )

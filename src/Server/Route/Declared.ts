/** The endpoints of plugins, known before anything is acquired. */
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type * as Plugin from "../../Plugin/Plugin.ts"
import type { Claim } from "./Claim.ts"
import { type DeclaredEndpoint, isRoute } from "./Route.ts"
import type { Access } from "./Slots.ts"

/** An endpoint of a contract and its owner. */
export type Declared = Claim & DeclaredEndpoint

/** A route group of a plugin. */
interface DeclaredGroup {
  readonly access: Access
  /** Undefined for a raw group, which has no endpoints. */
  readonly contract: HttpApiGroup.Top | undefined
  readonly endpoints: ReadonlyArray<Declared>
}

/** Returns the route groups of plugins, each with its endpoints in their order. */
export const groupsOf = (plugins: ReadonlyArray<Plugin.Any>): ReadonlyArray<DeclaredGroup> =>
  plugins.flatMap(({ id, manifest }) =>
    manifest.contributions.filter(isRoute).map(({ access, declared, group, name }) => ({
      access,
      contract: group,
      endpoints: declared.map((row) => ({ ...row, group: name, plugin: id }))
    }))
  )

/** Returns the endpoints of all route groups of plugins. */
export const of = (plugins: ReadonlyArray<Plugin.Any>): ReadonlyArray<Declared> =>
  groupsOf(plugins).flatMap(({ endpoints }) => endpoints)

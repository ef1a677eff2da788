/** The battery as a plugin. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HealthCheck from "../../Plugin/HealthCheck.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as Backends from "./Backends.ts"
import { make } from "./Make.ts"
import { ObjectStore } from "./ObjectStore.ts"
import { ObjectStoreConfig } from "./ObjectStoreConfig.ts"

/**
 * Provides `ObjectStore` in memory, in a directory or in a bucket of S3, as `objectStore.backend` chooses.
 *
 * - config: section `objectStore`
 * - health: `objectStore`, shared
 * - metrics: `flange.object_store.duration` and `flange.object_store.bytes`
 * - fails with `ObjectStoreBackendError` in its acquire phase if a package or a setting is missing
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as ObjectStore from "flange/ObjectStore"
 *
 * const app = App.make("shop", [ObjectStore.plugin], {
 *   config: { values: { objectStore: { backend: "directory", directory: "/var/lib/shop" } } }
 * })
 * App.describe(app).plugins[0]!.config // => ["objectStore"]
 * ```
 */
export const plugin = Plugin.make("flange:object-store", {
  config: [ObjectStoreConfig],
  health: { objectStore: HealthCheck.make(ObjectStore.use((store) => store.ping)) },
  layer: Layer.effect(
    ObjectStore,
    Effect.gen(function* () {
      const settings = yield* ObjectStoreConfig
      return yield* make(yield* Backends.open(settings), settings.maxSize)
    })
  ),
  provides: [ObjectStore]
})

/** The battery as a plugin. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HealthCheck from "../../Plugin/HealthCheck.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as Backends from "./Backends.ts"
import { make } from "./Make.ts"
import type { StoreFailure } from "./ObjectStore.ts"
import { ObjectStore } from "./ObjectStore.ts"
import { ObjectStoreConfig } from "./ObjectStoreConfig.ts"

/** Fails if the backend does not work. Only the health check uses it. */
class BackendPing extends Context.Service<BackendPing, Effect.Effect<void, StoreFailure>>()(
  "flange/ObjectStore/BackendPing"
) {}

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
  health: { objectStore: HealthCheck.make(Effect.flatten(BackendPing)) },
  layer: Layer.effectContext(
    Effect.gen(function* () {
      const settings = yield* ObjectStoreConfig
      const backend = yield* Backends.open(settings)
      const store = yield* make(backend, settings.maxSize)
      return Context.make(ObjectStore, store).pipe(Context.add(BackendPing, backend.ping))
    })
  ),
  provides: [BackendPing, ObjectStore]
})

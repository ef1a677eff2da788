/** The object store in tests. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { make } from "./Make.ts"
import * as MemoryBackend from "./MemoryBackend.ts"
import { ObjectStore } from "./ObjectStore.ts"

/**
 * Creates a layer with an empty store in memory. Give it to a test, or to `replace` of `TestApp.make` in the
 * place of `ObjectStore.plugin`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { ObjectStore } from "flange/ObjectStore"
 * import { TestObjectStore } from "flange/ObjectStore/Testing"
 *
 * const size = Effect.gen(function* () {
 *   const store = yield* ObjectStore
 *   yield* store.put("greetings/ada.txt", "Hello, Ada")
 *   return (yield* store.head("greetings/ada.txt")).size
 * })
 * await Effect.runPromise(Effect.provide(size, TestObjectStore.layer())) // => 10
 * ```
 */
export const layer = (
  options: {
    /** The bytes of all objects. The default is 64 MiB. */
    readonly maxMemory?: number | undefined
    /** The longest content in bytes. The default is `maxMemory`. */
    readonly maxSize?: number | undefined
  } = {}
): Layer.Layer<ObjectStore> =>
  Layer.effect(
    ObjectStore,
    Effect.suspend(() => {
      const { maxMemory = 2 ** 26, maxSize = maxMemory } = options
      return make(MemoryBackend.make(maxMemory), maxSize)
    })
  )

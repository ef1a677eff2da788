/** Opens the backend that the section chooses. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Backend } from "./Backend.ts"
import type { StoreFailure } from "./ObjectStore.ts"
import type { Settings } from "./ObjectStoreConfig.ts"

/** The store cannot be opened: a package or a setting of its backend is missing. */
export class ObjectStoreBackendError extends Data.TaggedError("ObjectStoreBackendError")<{
  readonly message: string
}> {}

const missing = (key: "bucket" | "directory", backend: string): ObjectStoreBackendError =>
  new ObjectStoreBackendError({
    message: `objectStore.backend is "${backend}", and objectStore.${key} is not set. Set it, or give a test the double: replace: [[ObjectStore.plugin, TestObjectStore.layer()]].`
  })

/** Opens the backend of the section, until the scope closes. */
export const open = (
  settings: Settings
): Effect.Effect<Backend, ObjectStoreBackendError | StoreFailure, Scope.Scope> =>
  Effect.gen(function* () {
    const { backend, bucket, directory, maxMemory } = settings
    switch (backend) {
      case "directory": {
        if (directory === undefined) return yield* missing("directory", backend)
        const { make } = yield* Effect.promise(() => import("./DirectoryBackend.ts"))
        return yield* make(directory)
      }
      case "memory": {
        const { make } = yield* Effect.promise(() => import("./MemoryBackend.ts"))
        return make(maxMemory)
      }
      case "s3": {
        if (bucket === undefined) return yield* missing("bucket", backend)
        const { make } = yield* Effect.tryPromise({
          catch: (cause) =>
            new ObjectStoreBackendError({
              message: `The backend "s3" of the object store needs packages that cannot be loaded: ${String(cause)}. Install them with npm install @aws-sdk/client-s3 @aws-sdk/s3-request-presigner @aws-sdk/s3-presigned-post.`
            }),
          try: () => import("./S3Backend.ts")
        })
        return yield* make(settings, bucket)
      }
    }
  })

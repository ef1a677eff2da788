/** Object storage: in S3 and compatible servers, in a directory, or in memory. */

export { ObjectStoreBackendError } from "./Backends.ts"
export {
  type BackendName,
  type ByteRange,
  type Expiry,
  type ObjectInfo,
  ObjectNotModified,
  ObjectStore,
  type ObjectSummary,
  type PresignedPost,
  type PresignedRequest,
  PresignUnsupported,
  type Put,
  type ReadOptions,
  type Shape,
  type StoredObject,
  type StoreFailure,
  type WriteConditions,
  type WriteFailure,
  type WriteOptions,
  type WrittenObject
} from "./ObjectStore.ts"
export { ObjectStoreConfig } from "./ObjectStoreConfig.ts"
export { plugin } from "./ObjectStorePlugin.ts"
export { toResponse } from "./ToResponse.ts"

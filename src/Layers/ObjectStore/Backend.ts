/** The interface of the backends. */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import {
  type InvalidObjectKey,
  type ObjectNotFound,
  ObjectPreconditionFailed,
  ObjectRangeNotSatisfiable
} from "../../Contract/ObjectErrors.ts"
import {
  type BackendName,
  type ByteRange,
  type ObjectInfo,
  ObjectNotModified,
  type ObjectSummary,
  type PresignedPost,
  type PresignedRequest,
  type ReadOptions,
  type StoredObject,
  type StoreFailure,
  type WriteConditions
} from "./ObjectStore.ts"

/** Content that is checked while it is read. Its stream fails if a check does. */
export interface Upload<E, R> {
  readonly contentType: string
  readonly metadata: Readonly<Record<string, string>>
  /** Returns the SHA-256 in hexadecimal digits, after the end of the stream. */
  readonly sha256: () => string
  readonly stream: Stream.Stream<Uint8Array, E, R>
}

/** What every operation on a key may fail with: a backend may refuse a key that others store. */
export type KeyFailure = InvalidObjectKey | StoreFailure

/** What `get` may fail with. */
export type ReadFailure =
  | KeyFailure
  | ObjectNotFound
  | ObjectNotModified
  | ObjectPreconditionFailed
  | ObjectRangeNotSatisfiable

/** Signs requests. Times are in seconds. */
export interface Signer {
  readonly get: (
    key: string,
    contentDisposition: string | undefined,
    expiresIn: number
  ) => Effect.Effect<Omit<PresignedRequest, "expiresAt">, StoreFailure>
  readonly post: (
    key: string,
    limits: {
      readonly contentType: string
      readonly maxBytes: number
      readonly minBytes: number
    },
    expiresIn: number
  ) => Effect.Effect<Omit<PresignedPost, "expiresAt">, StoreFailure>
  readonly put: (
    key: string,
    limits: { readonly contentType: string; readonly size: number },
    expiresIn: number
  ) => Effect.Effect<Omit<PresignedRequest, "expiresAt">, StoreFailure>
}

/** A backend. Keys were checked. */
export interface Backend {
  readonly copy: (from: string, to: string) => Effect.Effect<void, KeyFailure | ObjectNotFound>
  readonly delete: (key: string) => Effect.Effect<void, KeyFailure>
  readonly get: (
    key: string,
    options: ReadOptions
  ) => Effect.Effect<StoredObject, ReadFailure, Scope.Scope>
  readonly head: (key: string) => Effect.Effect<ObjectInfo, KeyFailure | ObjectNotFound>
  readonly list: (
    prefix: string,
    after: string | undefined
  ) => Stream.Stream<ObjectSummary, StoreFailure>
  readonly name: BackendName
  /** Fails if the backend does not work. */
  readonly ping: Effect.Effect<void, StoreFailure>
  /** Stores an object, and returns its entity tag. */
  readonly put: <E, R>(
    key: string,
    upload: Upload<E, R>,
    conditions: WriteConditions
  ) => Effect.Effect<string, E | KeyFailure | ObjectPreconditionFailed, R>
  /** Undefined if the backend has no presigned requests. */
  readonly signer: Signer | undefined
}

/** Returns the failure of a read whose conditions the object does not meet; undefined if it does. */
export const unmet = (
  { etag, key }: ObjectSummary,
  { ifMatch, ifNoneMatch }: ReadOptions
): ObjectNotModified | ObjectPreconditionFailed | undefined => {
  if (ifMatch !== undefined && !ifMatch.includes(etag)) return new ObjectPreconditionFailed({ key })
  return ifNoneMatch?.includes(etag) ? new ObjectNotModified({ etag, key }) : undefined
}

/** Checks whether an object with this entity tag, undefined for none, may be replaced. */
export const mayReplace = (
  etag: string | undefined,
  { ifMatch, ifNoneMatch }: WriteConditions
): boolean =>
  (ifMatch === undefined || ifMatch === etag) && (ifNoneMatch === undefined || etag === undefined)

/** Returns the bytes of a range in an object of this size, or why there are none. */
export const resolve = (
  range: ByteRange,
  size: number
): ObjectRangeNotSatisfiable | { readonly from: number; readonly to: number } => {
  const from = "last" in range ? Math.max(0, size - range.last) : range.from
  const to = "last" in range ? size - 1 : Math.min(range.to ?? size - 1, size - 1)
  return from > to ? new ObjectRangeNotSatisfiable({ size }) : { from, to }
}

/** Returns the entity tag of content. */
export const etagOf = (sha256: string): string => `"${sha256.slice(0, 32)}"`

/** The service that stores objects. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type {
  InvalidObjectKey,
  ObjectAccessDenied,
  ObjectChecksumMismatch,
  ObjectNotFound,
  ObjectPreconditionFailed,
  ObjectRangeNotSatisfiable,
  ObjectStoreUnavailable,
  ObjectTooLarge,
  ObjectTypeRefused
} from "../../Contract/ObjectErrors.ts"

/** The name of a backend. */
export type BackendName = "directory" | "memory" | "s3"

/** The failures of every operation: the store itself does not work. */
export type StoreFailure = ObjectAccessDenied | ObjectStoreUnavailable

/** Part of an object: bytes from `from` to `to`, both included, or the `last` bytes. */
export type ByteRange =
  | { readonly from: number; readonly to?: number | undefined }
  | { readonly last: number }

/** What a listing has of an object. */
export interface ObjectSummary {
  /** A strong entity tag with its quotes. It changes with the content. */
  readonly etag: string
  readonly key: string
  readonly lastModified: Date
  /** Bytes. */
  readonly size: number
}

/** An object without its content. */
export interface ObjectInfo extends ObjectSummary {
  readonly contentType: string
  /** The metadata of `put`. */
  readonly metadata: Readonly<Record<string, string>>
}

/** An object, or part of it, that can be read once. */
export interface StoredObject {
  readonly info: ObjectInfo
  /** The bytes of `stream`, both included; undefined if it has the whole object. */
  readonly range: { readonly from: number; readonly to: number } | undefined
  readonly stream: Stream.Stream<Uint8Array, StoreFailure>
}

/** What `put` has stored. */
export interface WrittenObject {
  readonly contentType: string
  readonly etag: string
  readonly key: string
  /** The SHA-256 of the content: 64 lower-case hexadecimal digits. */
  readonly sha256: string
  /** Bytes. */
  readonly size: number
}

/** Conditions on the object that is read. */
export interface ReadOptions {
  /** Fails with `ObjectPreconditionFailed` unless the object has one of these entity tags. */
  readonly ifMatch?: ReadonlyArray<string> | undefined
  /** Fails with `ObjectNotModified` if the object has one of these entity tags. */
  readonly ifNoneMatch?: ReadonlyArray<string> | undefined
  /** The part to read. The default is the whole object. */
  readonly range?: ByteRange | undefined
}

/** Conditions on the object that is replaced. */
export interface WriteConditions {
  /** Writes only if the object has this entity tag. */
  readonly ifMatch?: string | undefined
  /** `*` writes only if there is no object of this key. */
  readonly ifNoneMatch?: "*" | undefined
}

/** How `put` checks and describes the content. */
export interface WriteOptions extends WriteConditions {
  /**
   * The media type. The default is the type that the first bytes show, or `application/octet-stream`. With
   * `types`, what the first bytes show comes before it.
   */
  readonly contentType?: string | undefined
  /** The longest content in bytes. The default is `objectStore.maxSize`. */
  readonly maxBytes?: number | undefined
  /**
   * Texts to keep with the object, at most 2 KiB. Names are lower-case letters, digits and `-`, values
   * printable ASCII.
   */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** The SHA-256 that the content must have, as 64 lower-case hexadecimal digits. */
  readonly sha256?: string | undefined
  /**
   * The media types that are accepted. The first bytes of the content decide. A type that they cannot
   * show, such as `text/csv`, is accepted if it is the `contentType` and they show no other type.
   */
  readonly types?: ReadonlyArray<string> | undefined
}

/** The object has one of the entity tags of `ifNoneMatch`. */
export class ObjectNotModified extends Data.TaggedError("ObjectNotModified")<{
  readonly etag: string | undefined
  readonly key: string
}> {}

/** The backend has no presigned URLs. */
export class PresignUnsupported extends Data.TaggedError("PresignUnsupported")<{
  readonly backend: BackendName
}> {
  override get message(): string {
    return `The object store in ${this.backend} has no presigned URLs. Set objectStore.backend to "s3", or serve the object with ObjectStore.toResponse and take it with put in a route of the app.`
  }
}

/** A request that a client without credentials may send until `expiresAt`. */
export interface PresignedRequest {
  readonly expiresAt: Date
  /** The headers that the client must send. */
  readonly headers: Readonly<Record<string, string>>
  readonly method: "GET" | "PUT"
  /** A secret: who has it may send the request. */
  readonly url: string
}

/** A form that a browser may send, as `multipart/form-data`, until `expiresAt`. */
export interface PresignedPost {
  readonly expiresAt: Date
  /** The fields of the form. The field `file` comes after them. */
  readonly fields: Readonly<Record<string, string>>
  readonly url: string
}

/** How long a presigned request works. */
export interface Expiry {
  /** At most 7 days. The default is 15 minutes. */
  readonly expiresIn?: Duration.Input | undefined
}

/** Stores objects by key. `ObjectStore.plugin` provides it. */
export interface Shape {
  /** The name of the backend. */
  readonly backend: BackendName
  /** Copies an object with its metadata. It replaces an object of the key `to`. */
  readonly copy: (
    from: string,
    to: string
  ) => Effect.Effect<void, InvalidObjectKey | ObjectNotFound | StoreFailure>
  /** Deletes an object. Succeeds if there is none. */
  readonly delete: (key: string) => Effect.Effect<void, InvalidObjectKey | StoreFailure>
  /** Opens an object. The scope closes what is not read. */
  readonly get: (
    key: string,
    options?: ReadOptions
  ) => Effect.Effect<
    StoredObject,
    | InvalidObjectKey
    | ObjectNotFound
    | ObjectNotModified
    | ObjectPreconditionFailed
    | ObjectRangeNotSatisfiable
    | StoreFailure,
    Scope.Scope
  >
  /** Reads what the store knows of an object. */
  readonly head: (
    key: string
  ) => Effect.Effect<ObjectInfo, InvalidObjectKey | ObjectNotFound | StoreFailure>
  /**
   * Lists the objects whose keys begin with `prefix`, by the bytes of their keys. It reads pages as they
   * are needed. `after` continues behind a key.
   */
  readonly list: (
    prefix: string,
    options?: { readonly after?: string | undefined }
  ) => Stream.Stream<ObjectSummary, InvalidObjectKey | StoreFailure>
  /** Fails if the store does not work. */
  readonly ping: Effect.Effect<void, StoreFailure>
  /** Signs the download of an object. Does not check whether the object exists. */
  readonly presignGet: (
    key: string,
    options?: Expiry & {
      /** The header `Content-Disposition` of the reply. */
      readonly contentDisposition?: string | undefined
    }
  ) => Effect.Effect<PresignedRequest, InvalidObjectKey | PresignUnsupported | StoreFailure>
  /** Signs a form with limits, with which a browser uploads an object. */
  readonly presignPost: (
    key: string,
    options: Expiry & {
      /** The media type that the form must have. */
      readonly contentType: string
      /** The longest content in bytes. */
      readonly maxBytes: number
      /** The shortest content in bytes. The default is 0. */
      readonly minBytes?: number | undefined
    }
  ) => Effect.Effect<PresignedPost, InvalidObjectKey | PresignUnsupported | StoreFailure>
  /** Signs the upload of an object of exactly this type and size. */
  readonly presignPut: (
    key: string,
    options: Expiry & {
      /** The media type that the client must send. */
      readonly contentType: string
      /** The exact length of the content in bytes. */
      readonly size: number
    }
  ) => Effect.Effect<PresignedRequest, InvalidObjectKey | PresignUnsupported | StoreFailure>
  /**
   * Stores an object when all of its content has come. A failure of the stream, an interruption, and a
   * check that fails leave the object of this key as it was.
   */
  readonly put: Put
}

/** What `put` may fail with, beside the failures of the stream. */
export type WriteFailure =
  | InvalidObjectKey
  | ObjectChecksumMismatch
  | ObjectPreconditionFailed
  | ObjectTooLarge
  | ObjectTypeRefused
  | StoreFailure

/** The type of `put`. */
export interface Put {
  (
    key: string,
    content: string | Uint8Array,
    options?: WriteOptions
  ): Effect.Effect<WrittenObject, WriteFailure>
  <E, R>(
    key: string,
    content: Stream.Stream<Uint8Array, E, R>,
    options?: WriteOptions
  ): Effect.Effect<WrittenObject, E | WriteFailure, R>
}

/** Stores objects by key: in S3, in a directory or in memory. */
export class ObjectStore extends Context.Service<ObjectStore, Shape>()(
  "flange/ObjectStore/ObjectStore"
) {}

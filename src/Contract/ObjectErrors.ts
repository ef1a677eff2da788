/** The errors of the object store. */
import * as Schema from "effect/Schema"
import * as ApiError from "./ApiError.ts"

/** The key of an object is not one that every backend can store. */
export class InvalidObjectKey extends ApiError.make<InvalidObjectKey>()(
  "InvalidObjectKey",
  {
    code: "INVALID_OBJECT_KEY",
    detail: ({ key, reason }) =>
      `The key ${JSON.stringify(key.length > 64 ? `${key.slice(0, 64).toWellFormed()}...` : key)} is refused: ${reason}. Write segments with / between them, as in "reports/2026/may.pdf"`,
    internal: ["key"],
    meaning: "The key of an object is empty, too long, or has a segment that is refused.",
    remedy:
      'Write 1 to 1024 bytes of segments with `/` between them, such as "reports/2026/may.pdf", without `.` and `..`.',
    status: 400
  },
  { key: Schema.String, reason: Schema.String }
) {}

/** The store refused the credentials of the service. */
export class ObjectAccessDenied extends ApiError.make<ObjectAccessDenied>()(
  "ObjectAccessDenied",
  {
    code: "OBJECT_ACCESS_DENIED",
    detail: "The service may not use its object store",
    meaning: "The object store refuses the credentials of the service, or an operation of it.",
    remedy: "Read `reason` in the log. Correct the credentials, the bucket or its policy.",
    status: 500
  },
  { operation: Schema.String, reason: Schema.String }
) {}

/** The content does not have the digest that was given with it. */
export class ObjectChecksumMismatch extends ApiError.make<ObjectChecksumMismatch>()(
  "ObjectChecksumMismatch",
  {
    code: "OBJECT_CHECKSUM_MISMATCH",
    detail: ({ actual, expected }) =>
      `The SHA-256 of the content is ${actual}, and it was announced as ${expected}`,
    meaning: "The content does not have the SHA-256 that was given with it. It is not stored.",
    remedy: "Send the content again, or correct the digest: 64 lower-case hexadecimal digits.",
    status: 422
  },
  { actual: Schema.String, expected: Schema.String }
) {}

/** The store has no object of this key. */
export class ObjectNotFound extends ApiError.make<ObjectNotFound>()(
  "ObjectNotFound",
  {
    code: "OBJECT_NOT_FOUND",
    detail: "There is no such object",
    internal: ["key"],
    meaning: "The object store has no object of the key that the endpoint reads.",
    remedy: "Check the address. The log has the key.",
    status: 404
  },
  { key: Schema.String }
) {}

/** The object is not the version that the caller has named. */
export class ObjectPreconditionFailed extends ApiError.make<ObjectPreconditionFailed>()(
  "ObjectPreconditionFailed",
  {
    code: "OBJECT_PRECONDITION_FAILED",
    detail: "The object is not the version that the request names",
    internal: ["key"],
    meaning: "The object was changed, exists already, or does not exist any more.",
    remedy: "Read the object, and send the request again with its current ETag.",
    status: 412
  },
  { key: Schema.String }
) {}

/** The range begins after the end of the object. */
export class ObjectRangeNotSatisfiable extends ApiError.make<ObjectRangeNotSatisfiable>()(
  "ObjectRangeNotSatisfiable",
  {
    code: "OBJECT_RANGE_NOT_SATISFIABLE",
    detail: ({ size }) => `The range is outside of the ${size} bytes of the object`,
    meaning: "The range of the request begins after the end of the object.",
    remedy: "Ask for bytes below the size in `size`.",
    status: 416
  },
  { size: Schema.Int }
) {}

/** The object store did not carry out an operation. */
export class ObjectStoreUnavailable extends ApiError.make<ObjectStoreUnavailable>()(
  "ObjectStoreUnavailable",
  {
    code: "OBJECT_STORE_UNAVAILABLE",
    detail: "The object store cannot be used now",
    meaning: "The object store does not answer, is full, or failed.",
    remedy: "Send the request again later. The log has the reason.",
    status: 503
  },
  { operation: Schema.String, reason: Schema.String }
) {}

/** The content is longer than the limit. */
export class ObjectTooLarge extends ApiError.make<ObjectTooLarge>()(
  "ObjectTooLarge",
  {
    code: "OBJECT_TOO_LARGE",
    detail: ({ limit }) => `The content is longer than ${limit} bytes`,
    meaning: "The content of an upload is longer than its limit. It is not stored.",
    remedy: "Send less, or raise `maxBytes` of the upload or `objectStore.maxSize`.",
    status: 413
  },
  { limit: Schema.Int }
) {}

/** The first bytes of the content are those of another type than the accepted ones. */
export class ObjectTypeRefused extends ApiError.make<ObjectTypeRefused>()(
  "ObjectTypeRefused",
  {
    code: "OBJECT_TYPE_REFUSED",
    detail: ({ accepted, found }) =>
      `The content is ${found ?? "of no known type"}. Accepted: ${accepted.join(", ")}`,
    meaning: "The first bytes of the content are those of a type that the upload does not accept.",
    remedy: "Send one of the types in `accepted`. The name and the header of a file do not count.",
    status: 415
  },
  { accepted: Schema.Array(Schema.String), found: Schema.optionalKey(Schema.String) }
) {}

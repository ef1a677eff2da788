/**
 * The errors of the object store, for contracts. This module has no server code, so a browser can
 * import it.
 */
import {
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

export {
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

/** The errors of an endpoint that answers with `ObjectStore.toResponse`. */
export const readErrors = [
  InvalidObjectKey,
  ObjectAccessDenied,
  ObjectNotFound,
  ObjectPreconditionFailed,
  ObjectRangeNotSatisfiable,
  ObjectStoreUnavailable
] as const

/** The errors of an endpoint that stores what a client sends. */
export const writeErrors = [
  InvalidObjectKey,
  ObjectAccessDenied,
  ObjectChecksumMismatch,
  ObjectPreconditionFailed,
  ObjectStoreUnavailable,
  ObjectTooLarge,
  ObjectTypeRefused
] as const

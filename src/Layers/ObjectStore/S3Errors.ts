/** The failures of the AWS SDK as those of the store. */
import * as Thrown from "../../Config/Thrown.ts"
import {
  ObjectAccessDenied,
  ObjectNotFound,
  ObjectPreconditionFailed,
  ObjectStoreUnavailable
} from "../../Contract/ObjectErrors.ts"
import type { StoreFailure } from "./ObjectStore.ts"

interface Described {
  readonly name: string
  /** Undefined without an answer of the server. */
  readonly status: number | undefined
}

/** Returns what an error of the SDK says. */
export const describe = (error: unknown): Described => {
  if (!(error instanceof Error)) return { name: "", status: undefined }
  const metadata: unknown = Reflect.get(error, "$metadata")
  const status: unknown =
    typeof metadata === "object" && metadata !== null && "httpStatusCode" in metadata
      ? metadata.httpStatusCode
      : undefined
  return { name: error.name, status: typeof status === "number" ? status : undefined }
}

const denied: ReadonlySet<string> = new Set(["CredentialsProviderError", "TokenProviderError"])

/** Returns the failure of an operation that has no other meaning for the caller. */
export const failure = (operation: string, error: unknown): StoreFailure => {
  const { name, status } = describe(error)
  const message = Thrown.messageOf(error)
  const reason = `${name} ${status ?? "without an answer"}: ${message}`
  return status === 401 || status === 403 || denied.has(name)
    ? new ObjectAccessDenied({ operation, reason })
    : new ObjectStoreUnavailable({ operation, reason })
}

/** Whether the bucket itself does not exist. It is a mistake of the configuration. */
const isBucketMissing = (name: string): boolean => name === "NoSuchBucket"

/** Returns the failure of an operation on an object that has to exist. */
export const ofObject =
  (operation: string, key: string) =>
  (error: unknown): ObjectNotFound | StoreFailure => {
    const { name, status } = describe(error)
    return status === 404 && !isBucketMissing(name)
      ? new ObjectNotFound({ key })
      : failure(operation, error)
  }

/** Returns the failure of a write. */
export const ofWrite =
  (key: string) =>
  (error: unknown): ObjectPreconditionFailed | StoreFailure => {
    const { name, status } = describe(error)
    // 409: another write was faster. 404: `If-Match` for an object that does not exist.
    const isUnmet =
      status === 412 ||
      (status === 409 && name === "ConditionalRequestConflict") ||
      (status === 404 && name === "NoSuchKey")
    return isUnmet ? new ObjectPreconditionFailed({ key }) : failure("put", error)
  }

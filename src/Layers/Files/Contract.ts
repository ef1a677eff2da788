/**
 * Forms with files, and the errors of downloads and uploads, for contracts. This module has no server code, so a
 * browser can import it.
 */
import {
  DownloadPreconditionFailed,
  DownloadRangeNotSatisfiable,
  UploadTooLarge,
  UploadTypeRefused
} from "../../Contract/FileErrors.ts"

export {
  DownloadPreconditionFailed,
  DownloadRangeNotSatisfiable,
  UploadTooLarge,
  UploadTypeRefused
} from "../../Contract/FileErrors.ts"
export * as Upload from "../../Contract/Upload.ts"

/** The errors of an endpoint that answers with `Files.download`. */
export const downloadErrors = [DownloadPreconditionFailed, DownloadRangeNotSatisfiable] as const

/** The errors of an endpoint that reads a form with `Files.receive`. */
export const uploadErrors = [UploadTooLarge, UploadTypeRefused] as const

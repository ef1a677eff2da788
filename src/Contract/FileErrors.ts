/** The errors of downloads and uploads. */
import * as Schema from "effect/Schema"
import * as ApiError from "./ApiError.ts"

/** The content is not the version that the request names. */
export class DownloadPreconditionFailed extends ApiError.make<DownloadPreconditionFailed>()(
  "DownloadPreconditionFailed",
  {
    code: "DOWNLOAD_PRECONDITION_FAILED",
    detail: "The content is not the version that the request names",
    meaning: "The content was changed since the client has read it.",
    remedy: "Read the content again, without If-Match and If-Unmodified-Since.",
    status: 412
  }
) {}

/** The range begins after the end of the content. */
export class DownloadRangeNotSatisfiable extends ApiError.make<DownloadRangeNotSatisfiable>()(
  "DownloadRangeNotSatisfiable",
  {
    code: "DOWNLOAD_RANGE_NOT_SATISFIABLE",
    detail: ({ size }) => `The range is outside of the ${size} bytes of the content`,
    meaning: "The range of the request begins after the end of the content.",
    remedy: "Ask for bytes below the size in `size`.",
    status: 416
  },
  { size: Schema.Int }
) {}

/** A file of an upload is longer than its limit. */
export class UploadTooLarge extends ApiError.make<UploadTooLarge>()(
  "UploadTooLarge",
  {
    code: "UPLOAD_TOO_LARGE",
    detail: ({ limit, pointer }) => `The file ${pointer} is longer than ${limit} bytes`,
    meaning: "A file of a form is longer than its limit. Nothing of the form is kept.",
    remedy: "Send a shorter file, or raise `maxBytes` of the file in the contract.",
    status: 413
  },
  {
    limit: Schema.Int,
    /** The part of the form: an RFC 6901 JSON pointer. */
    pointer: Schema.String
  }
) {}

/** The first bytes of a file of an upload are those of another type than the accepted ones. */
export class UploadTypeRefused extends ApiError.make<UploadTypeRefused>()(
  "UploadTypeRefused",
  {
    code: "UPLOAD_TYPE_REFUSED",
    detail: ({ accepted, found, pointer }) =>
      `The file ${pointer} is ${found ?? "of no known type"}. Accepted: ${accepted.join(", ")}`,
    meaning: "The first bytes of a file are those of a type that the form does not accept.",
    remedy: "Send one of the types in `accepted`. The name and the header of a file do not count.",
    status: 415
  },
  {
    accepted: Schema.Array(Schema.String),
    found: Schema.optionalKey(Schema.String),
    /** The part of the form: an RFC 6901 JSON pointer. */
    pointer: Schema.String
  }
) {}

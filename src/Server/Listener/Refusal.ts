/** The reasons to refuse a request before it is routed, and the error of each. */
import type * as Catalogue from "../../Contract/Catalogue.ts"
import {
  ExpectationFailed,
  HeadersTooLarge,
  HttpVersionNotSupported,
  NotImplemented,
  PayloadTooLarge,
  RequestTimeout,
  ServiceUnavailable,
  UnsupportedCoding,
  UriTooLong
} from "../../Contract/Catalogue.ts"
import type * as ErrorEnvelope from "../../Contract/ErrorEnvelope.ts"
import * as ErrorBody from "../Exchange/ErrorBody.ts"
import { malformed } from "../Exchange/Issues.ts"
import { document } from "../Exchange/Problem.ts"
import * as RequestId from "../Exchange/RequestId.ts"
import type { Serving } from "../Exchange/Serving.ts"

/** A reason to refuse a request. The listener reads nothing more from the connection. */
export interface Refusal {
  /** The reply to the request. */
  readonly error: Catalogue.Any
  /** The key in `refusals`. */
  readonly name: Name
}

/** The name of a refusal. */
export type Name = keyof typeof table

/** The longest extensions of all chunks of a body together, in bytes; as in `node:http`. */
export const maxExtensionBytes = 16 * 1024

const table = {
  AbsoluteTargetAndHost: malformed("path", "The target names another host than the Host field"),
  AuthorityAndHost: malformed("header", "The Host field names another host than :authority"),
  ChunkData: malformed("body", "A chunk is not followed by CRLF"),
  ChunkExtension: malformed(
    "body",
    "A chunk extension is not a token with a token or quoted value"
  ),
  // The type of the constructor does not have `detail`, which replaces the computed one.
  ChunkExtensionsTooLong: new PayloadTooLarge({
    detail: `The chunk extensions of the body are longer than ${maxExtensionBytes} bytes`,
    limit: maxExtensionBytes
  } as { limit: number }),
  ChunkSize: malformed("body", "A chunk size is not 1 to 16 hexadecimal digits followed by CRLF"),
  // As above.
  Connect: new NotImplemented({ detail: "This server opens no tunnels" } as {}),
  Connection: malformed("header", "Connection is not a list of tokens"),
  ContentLength: malformed("header", "Content-Length is not a number of 1 to 16 digits"),
  ContentLengthAndTransferEncoding: malformed(
    "header",
    "Content-Length and Transfer-Encoding do not go together"
  ),
  Expect: new ExpectationFailed(),
  FieldName: malformed("header", "A field name is not a token followed by a colon"),
  FieldValue: malformed("header", "A field value has a control character, or its line no CRLF"),
  FieldsTooLarge: new HeadersTooLarge(),
  HostInvalid: malformed("header", "Host is not a name or address with an optional port"),
  HostMissing: malformed("header", "Host is missing"),
  Method: malformed("header", "The method is not a token followed by one space"),
  RepeatedField: malformed("header", "A field that takes one value is sent twice"),
  RequestLineTooLong: new UriTooLong(),
  Scheme: malformed("path", "The :scheme is not http or https"),
  Target: malformed("path", "The target is not a path, an http URL, or * with OPTIONS"),
  Timeout: new RequestTimeout(),
  TooManyFields: new HeadersTooLarge(),
  Trailer: malformed("body", "A trailer sets the end of the body"),
  TransferCoding: new UnsupportedCoding(),
  TransferEncoding: malformed("header", "Transfer-Encoding does not end with one chunked"),
  TransferEncodingOn10: malformed("header", "HTTP/1.0 has no Transfer-Encoding"),
  Version: malformed("header", "The request line does not end with one space, HTTP/1.1 and CRLF"),
  VersionUnknown: new HttpVersionNotSupported()
}

/** Every refusal by name. */
export const refusals = Object.fromEntries(
  Object.entries(table).map(([name, error]) => [name, { error, name }])
  // The names and errors are those of the table.
) as Readonly<Record<Name, Refusal>>

/** The answer to a connection above `server.maxConnections`. */
export const tooManyConnections = new ServiceUnavailable({
  // An error that is given its detail keeps it.
  detail: "The server has too many open connections"
} as {})

/** The part of a refused request that could be read. */
export type Refused = Omit<ErrorEnvelope.Request, "requestId">

/** A refused request whose parts could not be read. */
export const unread: Refused = { header: () => undefined, method: undefined, target: undefined }

/**
 * Returns the reply to a refused request: its body, and its header lines, names and values
 * in turn. Counts the refusal.
 */
export const replyTo = (
  error: Catalogue.Any,
  refused: Refused,
  serving: Serving
): { readonly body: string; readonly headers: Array<string> } => {
  const { method, target } = refused
  serving.countRefusal(error)
  const requestId = RequestId.fromHeader(refused.header(RequestId.header))
  const { contentType, text } = ErrorBody.make(
    {
      document: document(error, { requestId, target }),
      request: { header: (name) => refused.header(name), method, requestId, target },
      status: error.status
    },
    serving
  )
  return {
    body: text,
    headers: ["content-type", contentType, RequestId.header, requestId]
  }
}

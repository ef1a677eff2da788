/** Why the parser refuses a request, and what the client is told. */
import {
  ExpectationFailed,
  HeadersTooLarge,
  HttpVersionNotSupported,
  MalformedRequest,
  NotImplemented,
  PayloadTooLarge,
  RequestTimeout,
  UnsupportedCoding,
  UriTooLong
} from "../../../Contract/Catalogue.ts"

/** A reason to refuse a request. After it nothing more is read from the connection. */
export interface Refusal {
  /** What the request should have been. */
  readonly detail: string
  readonly location: "body" | "header" | "path"
  /** Its name among the refusals. */
  readonly name: Name
  readonly status: 400 | 408 | 413 | 414 | 417 | 431 | 501 | 505
}

/** The name of a refusal. */
export type Name = keyof typeof table

/** How long the extensions of all chunks of a body may be, in bytes; as in `node:http`. */
export const maxExtensionBytes = 16 * 1024

const table = {
  AbsoluteTargetAndHost: [400, "path", "The target names another host than the Host field"],
  ChunkData: [400, "body", "A chunk is not followed by CRLF"],
  ChunkExtension: [400, "body", "A chunk extension is not a token with a token or quoted value"],
  ChunkExtensionsTooLong: [
    413,
    "body",
    `The chunk extensions of the body are longer than ${maxExtensionBytes} bytes`
  ],
  ChunkSize: [400, "body", "A chunk size is not 1 to 16 hexadecimal digits followed by CRLF"],
  Connect: [501, "path", "This server opens no tunnels"],
  Connection: [400, "header", "Connection is not a list of tokens"],
  ContentLength: [400, "header", "Content-Length is not a number of 1 to 16 digits"],
  ContentLengthAndTransferEncoding: [
    400,
    "header",
    "Content-Length and Transfer-Encoding do not go together"
  ],
  Expect: [417, "header", "The only expectation this server meets is 100-continue"],
  FieldName: [400, "header", "A field name is not a token followed by a colon"],
  FieldValue: [400, "header", "A field value has a control character, or its line no CRLF"],
  FieldsTooLarge: [431, "header", "The header fields are too long"],
  HostInvalid: [400, "header", "Host is not a name or address with an optional port"],
  HostMissing: [400, "header", "Host is missing"],
  Method: [400, "header", "The method is not a token followed by one space"],
  RepeatedField: [400, "header", "A field that takes one value stands there twice"],
  RequestLineTooLong: [414, "path", "The request line is too long"],
  Target: [400, "path", "The target is not a path, an http URL, or * with OPTIONS"],
  Timeout: [408, "header", "The request did not arrive in time"],
  TooManyFields: [431, "header", "There are too many header fields"],
  Trailer: [400, "body", "A trailer says where the body ends"],
  TransferCoding: [501, "header", "The only transfer coding that the server takes is chunked"],
  TransferEncoding: [400, "header", "Transfer-Encoding does not end with one chunked"],
  TransferEncodingOn10: [400, "header", "HTTP/1.0 has no Transfer-Encoding"],
  Version: [400, "header", "The request line does not end with one space, HTTP/1.1 and CRLF"],
  VersionUnknown: [505, "path", "This server speaks HTTP/1.1 and HTTP/1.0"]
} as const satisfies Record<
  string,
  readonly [Refusal["status"], Refusal["location"], detail: string]
>

/** Every refusal by name. */
export const refusals = Object.fromEntries(
  Object.entries(table).map(([name, [status, location, detail]]) => [
    name,
    { detail, location, name, status }
  ])
  // The names and values are those of the table.
) as Readonly<Record<Name, Refusal>>

const errorOf = ({ detail, location, name, status }: Refusal) => {
  switch (status) {
    case 400:
      return new MalformedRequest({ errors: [{ detail, location, pointer: "" }] })
    case 408:
      return new RequestTimeout()
    case 413:
      // An error that is given its detail keeps it.
      return new PayloadTooLarge({ detail, limit: maxExtensionBytes } as { limit: number })
    case 414:
      return new UriTooLong()
    case 417:
      return new ExpectationFailed()
    case 431:
      return new HeadersTooLarge()
    case 501:
      return name === "TransferCoding"
        ? new UnsupportedCoding()
        : new NotImplemented({ detail } as {})
    case 505:
      return new HttpVersionNotSupported()
  }
}

/** The problem document of a refusal, as JSON. `instance` is the path, where it is known. */
export const problem = (
  refusal: Refusal,
  correlationId: string,
  instance: string | undefined
): string => {
  const { code, detail, status, title, type, ...rest } = errorOf(refusal)
  return JSON.stringify({ type, title, status, detail, instance, code, correlationId, ...rest })
}

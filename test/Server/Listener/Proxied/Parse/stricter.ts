/** Where the proxied listener is stricter than `node:http`. */
import type { Name } from "../../../../../src/Server/Listener/Refusal.ts"

/** What this listener refuses and `node:http` reads, with the reason. */
export const stricter: Partial<Record<Name, string>> = {
  AbsoluteTargetAndHost: "two names for one host: a proxy and a server may each believe another",
  ChunkExtension: "node takes an extension with = and no value, which the grammar has not",
  ChunkExtensionsTooLong: "the limit is counted per body without gaps",
  ChunkSize: "node takes any number of zeros before a size, and sizes that no number holds",
  Connection: "a broken list may be read in several ways",
  ContentLength: "node takes any number of zeros before a length, and lengths that no number holds",
  Expect: "node looks for 100-continue anywhere in the field",
  FieldsTooLarge: "there is a limit for each line, not only for all",
  HostInvalid: "node does not look at what Host says",
  HostMissing: "node's server looks for it, its parser, which is compared here, does not",
  Method: "node skips any number of CR and LF before a request",
  RepeatedField: "node takes the first of them, and others the last",
  RequestLineTooLong: "there is a limit for each line, not only for all",
  Target: "node takes characters that no URL has, and * and URLs for any method",
  TooManyFields: "node drops what is too much without a word",
  TransferCoding: "node gives the handler a body that is still compressed",
  TransferEncoding: "an empty element, or white space at the end, may hide the field",
  TransferEncodingOn10: "a proxy of that age does not know the field and sees another body",
  Version: "node reads a request line with several spaces or without version",
  VersionUnknown: "node answers HTTP/0.9 and HTTP/2.0 as if they were HTTP/1.1"
}

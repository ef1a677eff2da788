/** The errors of every endpoint, as part of its contract. */
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import {
  InternalError,
  MalformedRequest,
  PayloadTooLarge,
  ServiceUnavailable,
  UnsupportedMediaType,
  ValidationFailed
} from "./Catalogue.ts"

/**
 * The errors that every endpoint may answer with, whatever its handler does. They are in
 * the contract for OpenAPI and the client; the server itself produces them.
 */
export class StandardErrors extends HttpApiMiddleware.Service<StandardErrors>()(
  "flange/StandardErrors",
  {
    error: [
      InternalError,
      MalformedRequest,
      PayloadTooLarge,
      ServiceUnavailable,
      UnsupportedMediaType,
      ValidationFailed
    ]
  }
) {}

/** A defect that ends a request with a reply of the server's choice. */
import * as Data from "effect/Data"
import type * as Catalogue from "../../Contract/Catalogue.ts"

/**
 * Ends a request with an error of the catalogue. Middleware around a handler throws it
 * as a defect, because it cannot add to the handler's failures. Log the reason before you
 * throw it: the server does not log an `Answer`.
 */
export class Answer extends Data.TaggedError("Answer")<{
  readonly error: Catalogue.Any
  /** Headers of the reply, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>
}> {
  override get message(): string {
    return `${this.error.status} ${this.error.code}: ${this.error.detail}`
  }
}

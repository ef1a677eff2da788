/** The bodies of errors: problem documents, or what the app sends in their place. */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as ProblemDetails from "effect/http/ProblemDetails"
import type * as ErrorEnvelope from "../../Contract/ErrorEnvelope.ts"
import { logFailure } from "./FailureLog.ts"
import * as Problem from "./Problem.ts"
import type { Serving } from "./Serving.ts"

/** An error that is sent. */
export interface Failed {
  /** Its whole problem document. */
  readonly document: Problem.Document
  readonly request: ErrorEnvelope.Request
  /** The status of the reply. */
  readonly status: number
}

/**
 * Returns the body of an error and its content type. If the app's envelope cannot be made, the
 * failure is logged and the body is the document itself.
 */
export const make = (
  { document, request, status }: Failed,
  { context, envelope }: Pick<Serving, "context" | "envelope">
): { readonly contentType: string; readonly text: string } => {
  const own = () => ({ contentType: ProblemDetails.contentType, text: Problem.toText(document) })
  if (envelope === undefined) return own()
  const { method, requestId, target } = request
  // The app may take the function out of the request.
  const header = (name: string) => request.header(name)
  try {
    const members = Object.entries(document).filter(([, value]) => value !== undefined)
    // A document that the app has written may lack members.
    const problem = { ...Problem.unnamed(status), ...Object.fromEntries(members) }
    return {
      contentType: envelope.contentType,
      text: envelope.write(problem as ErrorEnvelope.Problem, {
        header,
        method,
        requestId,
        target
      })
    }
  } catch (defect) {
    const failure = logFailure("The envelope of an error could not be made", Cause.die(defect))
    // The services of the app, whose types are not known here.
    Effect.runForkWith(context as Context.Context<never>)(
      Effect.annotateLogs(failure, { requestId })
    )
    return own()
  }
}

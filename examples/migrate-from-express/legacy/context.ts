/** What Flange knows of a request, for handlers of the Express app. */
import type { IncomingMessage } from "node:http"
import * as Context from "effect/Context"
import * as Option from "effect/Option"
import { CurrentIdentity, Mount, RequestId } from "flange"

/** Returns the id that Flange's log and the reply have. */
export const requestIdOf = (request: IncomingMessage): string =>
  Context.get(Mount.services(request), RequestId)

/** Returns the caller of a route behind authentication; undefined for other routes. */
export const callerOf = (request: IncomingMessage): string | undefined =>
  Option.getOrUndefined(
    Option.map(
      Context.getOption(Mount.services(request), CurrentIdentity),
      ({ subject }) => subject
    )
  )

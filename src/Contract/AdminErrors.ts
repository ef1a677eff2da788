/** The errors of the admin port. */
import * as Schema from "effect/Schema"
import * as ApiError from "./ApiError.ts"

/** An action of the app failed with an error that it declares. */
export class AdminActionFailed extends ApiError.make<AdminActionFailed>()(
  "AdminActionFailed",
  {
    code: "ADMIN_ACTION_FAILED",
    detail: ({ action }) => `The action "${action}" failed with an error that it declares`,
    meaning: "An action that was run on the admin port failed with an error that it declares.",
    remedy: "Read `error`, which is the error of the action as JSON.",
    status: 422
  },
  { action: Schema.String, error: Schema.Unknown }
) {}

/** The app has no action of this name. */
export class AdminActionNotFound extends ApiError.make<AdminActionNotFound>()(
  "AdminActionNotFound",
  {
    code: "ADMIN_ACTION_NOT_FOUND",
    detail: ({ action }) => `The app has no action "${action}"`,
    meaning: "The app has no action of the name that was sent to the admin port.",
    remedy: "Use one of the names in `actions`.",
    status: 404
  },
  { action: Schema.String, actions: Schema.Array(Schema.String) }
) {}

/** The schema of an action refuses the payload. */
export class AdminActionRefused extends ApiError.make<AdminActionRefused>()(
  "AdminActionRefused",
  {
    code: "ADMIN_ACTION_REFUSED",
    detail: ({ action }) => `The schema of the action "${action}" refuses the payload`,
    meaning: "The schema of an action refuses the payload that was sent to the admin port.",
    remedy: "Correct what `issues` names. `GET /actions` has the JSON Schema of the payload.",
    status: 400
  },
  { action: Schema.String, issues: Schema.String }
) {}

/** The app cannot end its process, because something else runs it. */
export class AdminDrainRefused extends ApiError.make<AdminDrainRefused>()("AdminDrainRefused", {
  code: "ADMIN_DRAIN_REFUSED",
  detail: "The app is not the main program of its process, so it cannot end it",
  meaning: "The app was asked to drain, and it was not started with `App.run`.",
  remedy: "Stop the app in the program that has started it, or start it with `App.run`.",
  status: 409
}) {}

/** A change lacks the header that pages of other sites cannot send. */
export class AdminHeaderMissing extends ApiError.make<AdminHeaderMissing>()("AdminHeaderMissing", {
  code: "ADMIN_HEADER_MISSING",
  detail:
    "A request that changes something needs Content-Type: application/json or X-Requested-With",
  meaning:
    "A request to the admin port changes something and has none of the headers that a form of another site cannot send.",
  remedy: "Send a JSON body with `Content-Type: application/json`, or `X-Requested-With: admin`.",
  status: 403
}) {}

/** The name in the header `Host` is not one of the admin port. */
export class AdminHostRefused extends ApiError.make<AdminHostRefused>()("AdminHostRefused", {
  code: "ADMIN_HOST_REFUSED",
  detail: "The admin port does not have the name in the header Host",
  meaning:
    "The header Host of a request to the admin port names neither a loopback address nor `admin.host`. A page that resolves its own name to this machine sends such a request.",
  remedy:
    "Use the address 127.0.0.1, the name localhost, or that of `admin.host`; or set `admin.token`.",
  status: 421
}) {}

/** The admin port has no such path. */
export class AdminPathNotFound extends ApiError.make<AdminPathNotFound>()(
  "AdminPathNotFound",
  {
    code: "ADMIN_PATH_NOT_FOUND",
    detail: "The admin port has no such path",
    meaning: "The admin port has no such path.",
    remedy: "Use one of `paths`.",
    status: 404
  },
  { paths: Schema.Array(Schema.String) }
) {}

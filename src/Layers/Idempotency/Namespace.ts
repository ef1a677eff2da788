/** The beginning of the keys of an app. */
import * as Context from "effect/Context"

/** The text that begins every key of the app in its store, such as `shop:idempotency`. */
export class Namespace extends Context.Service<Namespace, string>()(
  "flange/Idempotency/Namespace"
) {}

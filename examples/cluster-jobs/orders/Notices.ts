/** The notices to customers: a queue that the transaction of the last step fills and any worker empties. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Queue from "flange/Queue"
import { OrderId } from "./Order.ts"

export const Notices = Queue.make("notices", { payload: Schema.Struct({ order: OrderId }) })

/** The mail service of the example is the log. */
export const tell = Notices.worker(({ order }) =>
  Effect.log(`The customer is told of order ${order}`)
)

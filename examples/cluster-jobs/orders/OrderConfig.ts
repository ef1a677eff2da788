/** The configuration of the orders. */
import { Config } from "flange"

/** Section `orders`: `packing` is how long an order is packed before it is shipped. */
export const OrderConfig = Config.section("orders", {
  packing: Config.Duration.pipe(Config.withDefault("2 seconds"))
})

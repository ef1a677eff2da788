/** The app: a list of plugins. `main.ts` runs it, `local.ts` with servers of its own, the tests boot it. */
import { App, Preset } from "flange"
import * as DynamoDb from "flange/DynamoDb"
import * as ObjectStore from "flange/ObjectStore"
import * as Secrets from "flange/Secrets"
import { AuthPlugin } from "./auth/AuthPlugin.ts"
import { OrdersPlugin } from "./orders/OrdersPlugin.ts"

export const app = App.make(
  "orders-aws",
  [...Preset.api, AuthPlugin, DynamoDb.plugin, ObjectStore.plugin, OrdersPlugin, Secrets.plugin],
  // `flange.toml` is read from the folder of this file, whatever the working directory is.
  { config: { directory: import.meta.dirname } }
)

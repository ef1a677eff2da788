/** The app: a list of plugins. `main.ts` runs it in one role or in all, `local.ts` starts a process for each. */
import { App, Preset } from "flange"
import * as Cluster from "flange/Cluster"
import * as Database from "flange/Database"
import * as Jobs from "flange/Jobs"
import * as Metrics from "flange/Metrics"
import * as Queue from "flange/Queue"
import { OrdersPlugin } from "./orders/OrdersPlugin.ts"

export const app = App.make(
  "cluster-jobs",
  [
    ...Preset.api,
    Cluster.plugin,
    // A request that waits for a workflow must not hold a transaction.
    Database.autocommit,
    Database.plugin,
    Jobs.withCluster,
    Metrics.plugin,
    OrdersPlugin,
    Queue.withDatabase
  ],
  // `flange.toml` is read from the folder of this file, whatever the working directory is.
  { config: { directory: import.meta.dirname } }
)

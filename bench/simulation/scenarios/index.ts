/** All scenarios. */
import type { Scenario } from "../Scenario.ts"
import { balancing } from "./Balancing.ts"
import { cacheExpiry } from "./CacheExpiry.ts"
import { connections } from "./Connections.ts"
import { cron } from "./Cron.ts"
import { deploy } from "./Deploy.ts"
import { hotRow } from "./HotRow.ts"
import { overload } from "./Overload.ts"
import { partitions } from "./Partitions.ts"
import { reconnect } from "./Reconnect.ts"
import { retries } from "./Retries.ts"
import { steady } from "./Steady.ts"

export const scenarios: ReadonlyArray<Scenario> = [
  balancing,
  cacheExpiry,
  connections,
  cron,
  deploy,
  hotRow,
  overload,
  partitions,
  reconnect,
  retries,
  steady
]

// A replica of the shop whose events are in a database or in Redis. Run by RollingRestart.test.ts.
import * as Effect from "effect/Effect"
import { App, Plugin } from "flange"
import * as Database from "flange/Database"
import * as Realtime from "flange/Realtime"
import * as Redis from "flange/Redis"
import { OrdersPlugin } from "./orders.ts"

const Probe = Plugin.make("app:probe", {
  ready: ({ address }) => Effect.sync(() => console.log(`listening ${address}`))
})

const config = { values: { sse: { retry: "100 millis" } } }

if (process.env["DATABASE_URL"] === undefined) {
  App.run(App.make("shop", [Redis.plugin, Realtime.sseWithRedis, OrdersPlugin, Probe], { config }))
} else {
  App.run(
    App.make(
      "shop",
      [Database.plugin, Database.transactional(), Realtime.sseWithDatabase, OrdersPlugin, Probe],
      { config }
    )
  )
}

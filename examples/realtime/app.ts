/** The app, with each of the backends that connect replicas. `main.ts` runs one, the tests boot them. */
import { App, Preset } from "flange"
import * as Database from "flange/Database"
import * as Realtime from "flange/Realtime"
import * as Redis from "flange/Redis"
import { RoomsPlugin } from "./rooms/RoomsPlugin.ts"

const plugins = [...Preset.minimal, Realtime.sse, Realtime.webSockets, RoomsPlugin] as const

/** One process. */
export const app = App.make("chat", [...plugins, Realtime.broadcast])

/** Replicas with the same PostgreSQL. */
export const overDatabase = App.make("chat", [
  ...plugins,
  Database.plugin,
  Realtime.broadcastWithDatabase
])

/** Replicas with the same Redis. */
export const overRedis = App.make("chat", [...plugins, Redis.plugin, Realtime.broadcastWithRedis])

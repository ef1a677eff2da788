/** Redis and Valkey: one connection for the commands, scripts and channels of all plugins. */

export {
  type Delivery,
  type Gap,
  type Message,
  RedisUnavailable,
  SharedRedis,
  type SharedRedisShape
} from "../../Plugin/SharedRedis.ts"
export { type ConnectError } from "./Connect.ts"
export { RedisClientMissing, RedisUnreachable, RedisUrlMissing } from "./Errors.ts"
export { RedisConfig, type Settings } from "./RedisConfig.ts"
export { layer, plugin } from "./RedisPlugin.ts"
export { Redis, RedisError, script } from "effect/persistence/Redis"

/** Realtime: typed event streams and WebSockets, and broadcast between replicas with presence. */

export { ChannelClosed } from "../../Contract/ChannelClose.ts"
export {
  EventIdMalformed,
  EventLogUnavailable,
  EventTooLarge,
  TopicMalformed
} from "../../Contract/EventErrors.ts"
export { asyncApi, AsyncApiConfig } from "./AsyncApiPlugin.ts"
export {
  Broadcast,
  type Shape as BroadcastShape,
  type Delivery,
  type Gap,
  type Message,
  type SubscribeOptions
} from "./Broadcast.ts"
export { BroadcastConfig } from "./BroadcastConfig.ts"
export {
  BroadcastBackendError,
  BroadcastTooLarge,
  BroadcastUnavailable,
  SubscriberTooSlow
} from "./BroadcastErrors.ts"
export { broadcast, broadcastWithDatabase, broadcastWithRedis } from "./BroadcastPlugin.ts"
export * as Topic from "./BroadcastTopic.ts"
export { EventLog, type EventLogShape } from "./EventLog.ts"
export { type Change, type Member, Presence, type Shape as PresenceShape } from "./Presence.ts"
export { Sse, type SseShape, type StreamOptions } from "./Sse.ts"
export { SseConfig } from "./SseConfig.ts"
export { sse, SseBackendError, sseWithDatabase, sseWithRedis } from "./SsePlugin.ts"
export { WebSocketConfig } from "./WebSocketConfig.ts"
export type { Connection } from "./WebSocketConnection.ts"
export type { LimitOptions } from "./WebSocketLimits.ts"
export { webSockets } from "./WebSocketPlugin.ts"
export { type ChannelOptions, type ServedChannel, WebSockets } from "./WebSockets.ts"

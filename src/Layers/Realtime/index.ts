/** Realtime: typed server-sent events that continue where a client stopped, over a bounded log. */

export {
  EventIdMalformed,
  EventLogUnavailable,
  EventTooLarge,
  TopicMalformed
} from "../../Contract/EventErrors.ts"
export { EventLog, type EventLogShape } from "./EventLog.ts"
export { Sse, type SseShape, type StreamOptions } from "./Sse.ts"
export { SseConfig } from "./SseConfig.ts"
export { sse, SseBackendError, sseWithDatabase, sseWithRedis } from "./SsePlugin.ts"

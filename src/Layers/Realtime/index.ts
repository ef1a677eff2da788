/** Realtime: typed server-sent events that continue where a client stopped, over a bounded log. */

export { EventIdMalformed, EventLogUnavailable, TopicMalformed } from "../../Contract/EventErrors.ts"

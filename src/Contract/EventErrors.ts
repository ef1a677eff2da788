/** The errors of endpoints that send server-sent events from a log. */
import * as Schema from "effect/Schema"
import * as ApiError from "./ApiError.ts"

/** The `Last-Event-ID` of a request is not the id of an event. */
export class EventIdMalformed extends ApiError.make<EventIdMalformed>()(
  "EventIdMalformed",
  {
    code: "EVENT_ID_MALFORMED",
    detail:
      "Last-Event-ID is not the id of an event. Send the id of the last event that was received, or leave the header out",
    meaning: "The header `Last-Event-ID` does not have the form of an event's id.",
    remedy: "Send the id of the last event that was received, or leave the header out.",
    status: 400
  },
  {}
) {}

/** The log of events did not carry out an operation. */
export class EventLogUnavailable extends ApiError.make<EventLogUnavailable>()(
  "EventLogUnavailable",
  {
    code: "EVENT_LOG_UNAVAILABLE",
    detail: "Events cannot be read or written now",
    meaning: "The database or the Redis of the log of events does not answer, or failed.",
    remedy: "Send the request again later. The log has the reason.",
    status: 503
  },
  { operation: Schema.String, reason: Schema.String }
) {}

/** The data of an event is longer than the log takes. */
export class EventTooLarge extends ApiError.make<EventTooLarge>()(
  "EventTooLarge",
  {
    code: "EVENT_TOO_LARGE",
    detail: ({ limit }) => `The data of an event is longer than ${limit} bytes`,
    meaning: "The data of an event is longer than the log takes. It was not added.",
    remedy: "Send less, or raise `sse.maxSize`.",
    status: 413
  },
  { limit: Schema.Int }
) {}

/** The name of a topic is not one that every log can keep. */
export class TopicMalformed extends ApiError.make<TopicMalformed>()(
  "TopicMalformed",
  {
    code: "TOPIC_MALFORMED",
    detail: "The topic of the events does not exist",
    internal: ["topic"],
    meaning: "The name of a topic is empty, too long, or has characters that are refused.",
    remedy:
      "Name topics with 1 to 200 characters of ASCII without blanks. Encode other text with `encodeURIComponent`.",
    status: 400
  },
  { topic: Schema.String }
) {}

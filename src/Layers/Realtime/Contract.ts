/**
 * Server-sent events and channels in contracts. This module has no server code, so a browser can import it.
 */

export * as Channel from "../../Contract/Channel.ts"
export * as ChannelClient from "../../Contract/ChannelClient.ts"
export { ChannelClosed } from "../../Contract/ChannelClose.ts"
export {
  EventIdMalformed,
  EventLogUnavailable,
  EventTooLarge,
  TopicMalformed
} from "../../Contract/EventErrors.ts"
export { follow, type FollowOptions, type FollowRequest } from "../../Contract/EventFollow.ts"
export * as EventStream from "../../Contract/EventStream.ts"

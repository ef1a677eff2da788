/**
 * Channels: typed WebSocket endpoints of a contract. A browser can import this module.
 */
import * as Context from "effect/Context"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import type { MessageSchema } from "./ChannelText.ts"
import { Upgrades } from "./Upgrades.ts"

/** An endpoint of a contract that a client upgrades. */
export type Endpoint = HttpApiEndpoint.ConstraintRequest & HttpApiEndpoint.Constraint

/**
 * A typed WebSocket.
 *
 * - `E`: the endpoint that its clients connect to
 * - `Receive`: the schema of what clients send and the server receives
 * - `Send`: the schema of what the server sends
 */
export interface Channel<
  out E extends Endpoint,
  out Receive extends MessageSchema,
  out Send extends MessageSchema
> {
  /** Add it to a group of the contract. */
  readonly endpoint: E
  readonly receive: Receive
  readonly send: Send
  /** The subprotocols that the server speaks, the one it prefers first. */
  readonly subprotocols: ReadonlyArray<string>
}

/**
 * The success of the endpoint of a channel. No value has this type, so a handler has to return a reply: that of
 * `upgrade`, or another one.
 */
export interface Upgraded {
  readonly "~flange/Upgraded": never
}

/** An endpoint whose handler upgrades the connection. */
export type Upgrading<E extends Endpoint> =
  E extends HttpApiEndpoint.HttpApiEndpoint<
    infer Identifier,
    infer Method,
    infer Path,
    infer Params,
    infer Query,
    infer Payload,
    infer Headers,
    infer _Success,
    infer Failure,
    infer Middleware,
    infer MiddlewareServices
  >
    ? HttpApiEndpoint.HttpApiEndpoint<
        Identifier,
        Method,
        Path,
        Params,
        Query,
        Payload,
        Headers,
        Schema.Codec<Upgraded>,
        Failure,
        Middleware,
        MiddlewareServices
      >
    : never

/** Any channel. */
export interface Any extends Channel<Endpoint, MessageSchema, MessageSchema> {}

/** The annotation of the endpoint of a channel, from which documents are made. */
export class ChannelInfo extends Context.Service<
  ChannelInfo,
  Pick<Any, "receive" | "send" | "subprotocols">
>()("flange/Realtime/Channel") {}

/**
 * Creates a channel from a GET endpoint. What a handshake may hold is the endpoint's: `params`,
 * `query`, `headers`, `error`, and its guards. Add `channel.endpoint` to a group.
 *
 * Messages are JSON in text frames. The schemas must encode and decode without waiting.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
 * import * as Schema from "effect/Schema"
 * import { Channel } from "flange/Realtime/Contract"
 *
 * const Chat = Channel.make(
 *   HttpApiEndpoint.get("chat", "/v1/chat/:room", { params: { room: Schema.String } }),
 *   {
 *     receive: Schema.Struct({ text: Schema.String }),
 *     send: Schema.Struct({ from: Schema.String, text: Schema.String })
 *   }
 * )
 * class ChatApi extends HttpApiGroup.make("chat").add(Chat.endpoint) {}
 * ChatApi.endpoints.chat.path // => "/v1/chat/:room"
 * ```
 */
export const make = <E extends Endpoint, Receive extends MessageSchema, Send extends MessageSchema>(
  endpoint: E,
  options: {
    /** The schema of what clients send. */
    readonly receive: Receive
    /** The schema of what the server sends. */
    readonly send: Send
    /** The subprotocols that the server speaks, the one it prefers first. Default: any client connects. */
    readonly subprotocols?: ReadonlyArray<string>
  }
): Channel<Upgrading<E>, Receive, Send> => {
  const { receive, send, subprotocols = [] } = options
  // Every endpoint is a `Top`. The constraint has only the members that inference needs.
  const whole = endpoint as unknown as HttpApiEndpoint.Top
  if (whole.method !== "GET") {
    throw new TypeError(
      `Channel "${whole.identifier}" has the method ${whole.method}. A WebSocket begins with GET: use HttpApiEndpoint.get.`
    )
  }
  const wrong = subprotocols.find((name) => !/^[!#$%&'*+.^_`|~\w-]+$/.test(name))
  if (wrong !== undefined) {
    throw new TypeError(
      `"${wrong}" is no subprotocol of channel "${whole.identifier}". Use letters, digits, "." and "-".`
    )
  }
  const before = Context.getOrUndefined(
    whole.annotations as Context.Context<OpenApi.Transform>,
    OpenApi.Transform
  )
  const annotated = whole
    .annotate(Upgrades, true)
    .annotate(ChannelInfo, { receive, send, subprotocols })
    .annotate(OpenApi.Transform, (operation) => {
      const described = documented(operation, { receive, send, subprotocols })
      return before === undefined ? described : before(described)
    })
  // Neither annotations nor the reply are known to Effect.
  return { endpoint: annotated as unknown as Upgrading<E>, receive, send, subprotocols }
}

type Json = Record<string, unknown>

/** Describes the handshake in place of a reply without content. */
const documented = (
  operation: Json,
  { receive, send, subprotocols }: ChannelInfo["Service"]
): Json => {
  const { 204: _, ...responses } = (operation["responses"] ?? {}) as Json
  return {
    ...operation,
    responses: {
      101: { description: "The connection is a WebSocket from here on" },
      ...responses,
      426: { description: "The request is not the handshake of a WebSocket" }
    },
    "x-websocket": {
      receive: schemaOf(receive),
      send: schemaOf(send),
      ...(subprotocols.length === 0 ? {} : { subprotocols })
    }
  }
}

/** Returns the JSON Schema of messages, with the definitions that it refers to. */
export const schemaOf = (schema: MessageSchema): Json => {
  const { definitions, schema: own } = Schema.toJsonSchemaDocument(schema)
  return Object.keys(definitions).length === 0 ? { ...own } : { ...own, $defs: definitions }
}

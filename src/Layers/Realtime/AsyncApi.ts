/** The AsyncAPI 3.0 document of an app: the messages of its channels and event streams. */
import * as Context from "effect/Context"
import type * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as OpenApi from "effect/http-api/OpenApi"
import { ChannelInfo, schemaOf } from "../../Contract/Channel.ts"
import type { MessageSchema } from "../../Contract/ChannelText.ts"
import * as RoutePath from "../../Contract/RoutePath.ts"
import { isStreamSchema } from "../../Server/EffectInternals.ts"

type Json = Record<string, unknown>

/** The parts of an app that its document depends on. */
export interface Parts {
  readonly api: HttpApi.Top
  readonly name: string
  readonly version: string
}

/**
 * Returns the document. An operation `receive` is what the server receives, `send` is what it sends.
 * Endpoints that OpenAPI excludes are not in it. Source: AsyncAPI 3.0.0.
 */
export const make = ({ api, name, version }: Parts): object => {
  const channels: Json = {}
  const operations: Json = {}
  for (const group of Object.values(api.groups)) {
    for (const endpoint of Object.values(group.endpoints)) {
      const annotations = Context.mergeAll(api.annotations, group.annotations, endpoint.annotations)
      const messages = messagesOf(endpoint)
      if (messages === undefined || Context.get(annotations, OpenApi.Exclude)) continue
      const id = `${group.identifier}.${endpoint.identifier}`
      channels[id] = channelOf(endpoint, messages)
      for (const action of Object.keys(messages)) {
        operations[`${id}.${action}`] = {
          action,
          channel: reference(id),
          messages: [{ $ref: `${reference(id).$ref}/messages/${action}` }]
        }
      }
    }
  }
  return {
    asyncapi: "3.0.0",
    info: { title: name, version },
    defaultContentType: "application/json",
    channels,
    operations
  }
}

const reference = (id: string) => ({
  $ref: `#/channels/${id.replaceAll("~", "~0").replaceAll("/", "~1")}`
})

/** Returns the annotation of a channel; undefined for any other endpoint. */
const infoOf = ({ annotations }: HttpApiEndpoint.Top): ChannelInfo["Service"] | undefined =>
  // Annotations are not part of a type.
  Context.getOrUndefined(annotations as Context.Context<ChannelInfo>, ChannelInfo)

/** Returns the messages by what the server does; undefined if an endpoint is no channel and streams no events. */
const messagesOf = (endpoint: HttpApiEndpoint.Top): Json | undefined => {
  const info = infoOf(endpoint)
  if (info !== undefined) {
    return {
      receive: { payload: schemaOf(info.receive) },
      send: { payload: schemaOf(info.send) }
    }
  }
  const stream = [...endpoint.success].find(isStreamSchema)
  const events = (stream as { readonly events?: MessageSchema } | undefined)?.events
  return events === undefined ? undefined : { send: { payload: schemaOf(events) } }
}

const channelOf = (endpoint: HttpApiEndpoint.Top, messages: Json): Json => {
  const info = infoOf(endpoint)
  const { parts } = RoutePath.parse(endpoint.path, RoutePath.declaredNames(endpoint.params))
  const parameters = parts.filter(RoutePath.isParameter).map(({ name }) => [name, {}] as const)
  const description = Context.getOrUndefined(
    endpoint.annotations as Context.Context<OpenApi.Description>,
    OpenApi.Description
  )
  return {
    address: parts
      .map((part) =>
        typeof part === "string" ? part : RoutePath.isParameter(part) ? `{${part.name}}` : "{*}"
      )
      .join(""),
    ...(description === undefined ? {} : { description }),
    messages,
    ...(parameters.length === 0 ? {} : { parameters: Object.fromEntries(parameters) }),
    bindings:
      info === undefined
        ? { http: { bindingVersion: "0.3.0" } }
        : { ws: { bindingVersion: "0.1.0", method: "GET" } },
    ...(info === undefined || info.subprotocols.length === 0
      ? {}
      : { "x-subprotocols": info.subprotocols })
  }
}

/** A port of an app under test. */
import type * as Effect from "effect/Effect"
import type * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type * as Client from "../Contract/Client.ts"
import type { ContextualWebHandler } from "../Server/Listener/Web/WebListener.ts"
import * as Requests from "./Requests.ts"
import type { LogEntry } from "./TestLogs.ts"

/** A port of a booted app and the means to talk to it. */
export interface TestPort extends Requests.Requests {
  /** Creates the typed client of a contract that the port serves. */
  readonly client: <Groups extends HttpApiGroup.Constraint>(
    api: HttpApi.HttpApi<string, Groups>
  ) => Effect.Effect<Client.Client<Groups>, never, HttpApiGroup.MiddlewareClient<Groups>>
  /** The URL that paths are relative to. In memory it is `http://localhost`, without a socket. */
  readonly url: string
}

/** Returns the port of an app with this name. Throws if the app has none. */
export const make = (
  app: string,
  name: string,
  options: {
    readonly logs: ReadonlyArray<LogEntry>
    /** The URLs of the ports of the app by name. */
    readonly ports: Readonly<Record<string, string>>
    /** Returns the function that sends requests to the port. */
    readonly transport: () => ContextualWebHandler
  }
): TestPort => {
  const { logs, ports, transport } = options
  const url = ports[name]
  if (url === undefined) {
    const names = Object.keys(ports)
    throw new Error(
      `App "${app}" has no port "${name}". ${names.length === 0 ? "No plugin of it contributes a port." : `It has: ${names.join(", ")}.`}`
    )
  }
  const send = transport()
  return {
    ...Requests.requests(app, url, logs, send),
    client: (api) => Requests.clientOf({ api }, url, send),
    url
  }
}

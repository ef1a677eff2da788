/** Requests as clients of nginx send them. */
import * as Http from "node:http"

/** A reply. */
export interface Reply {
  readonly headers: Http.IncomingHttpHeaders
  readonly json: Record<string, unknown>
  readonly status: number
  readonly text: string
}

/** Sends one request; on a connection of its own unless an agent is given. */
export const ask = (
  url: string,
  {
    agent = false,
    body,
    headers = {},
    localAddress,
    method = "GET"
  }: {
    readonly agent?: false | Http.Agent
    readonly body?: Buffer | string
    readonly headers?: Http.OutgoingHttpHeaders
    /** The client's own address. */
    readonly localAddress?: string
    readonly method?: string
  } = {}
): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const request = Http.request(
      url,
      { agent, headers, method, ...(localAddress === undefined ? {} : { localAddress }) },
      (response) => {
        let text = ""
        response.on("data", (chunk) => (text += chunk))
        response.on("error", reject)
        response.on("end", () =>
          resolve({
            headers: response.headers,
            get json() {
              return JSON.parse(text)
            },
            status: response.statusCode!,
            text
          })
        )
      }
    )
    // A server may answer before it has read the body, and close.
    request.on("error", reject)
    request.end(body)
  })

/** Sends JSON. */
export const post = (url: string, value: unknown, agent: false | Http.Agent = false) =>
  ask(url, {
    agent,
    body: JSON.stringify(value),
    headers: { "content-type": "application/json" },
    method: "POST"
  })

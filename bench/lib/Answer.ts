import { request } from "node:http"
import type { Request } from "./Workload.ts"

export interface Answer {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  readonly status: number
}

/** Sends one request on a connection of its own. */
export const ask = (
  port: number,
  { body, headers, method, path }: Omit<Request, "headers" | "method"> & Partial<Request>
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = request(
      { agent: false, headers, host: "127.0.0.1", method, path, port },
      (response) => {
        let text = ""
        response.setEncoding("utf8")
        response.on("data", (chunk) => (text += chunk))
        response.on("end", () =>
          resolve({
            body: text,
            headers: response.headers as Record<string, string>,
            status: response.statusCode!
          })
        )
        response.on("error", reject)
      }
    )
    sent.on("error", reject)
    sent.end(body)
  })

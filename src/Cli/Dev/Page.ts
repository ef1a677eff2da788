/** The replies of `flange dev` to requests while the app does not run. */
import { randomBytes } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { escape } from "../Xml.ts"
import type { Failure } from "./Messages.ts"
import * as Place from "./Place.ts"

/** The header by which the page recognises itself. */
const header = "flange-dev"

const style = `body { font: 16px/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 60rem; padding: 0 1rem; color-scheme: light dark }
pre { font: 14px/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere }`

/** Loads the page again when the app runs, or fails in another way. */
const script = (id: string): string => `setInterval(async () => {
  const reply = await fetch(location.href, { cache: "no-store", method: "HEAD" }).catch(() => {})
  if (reply !== undefined && reply.headers.get("${header}") !== "${id}") location.reload()
}, 500)`

const html = (failure: Failure, id: string, nonce: string): string => {
  const place = Place.untoldOf(failure)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>The app does not run</title>
<style nonce="${nonce}">${style}</style>
<h1>The app does not run</h1>
<pre>${escape(failure.text)}</pre>
${place === undefined ? "" : `<p>At <code>${escape(place)}</code></p>\n`}<p>Correct it and save: this page then loads again by itself.</p>
<script nonce="${nonce}">${script(id)}</script>
</html>
`
}

const problem = ({ place, text }: Failure, instance: string | undefined): string =>
  JSON.stringify({
    type: "urn:problem:app-not-running",
    title: "The app does not run",
    status: 503,
    detail: text,
    instance: instance?.replace(/\?.*/s, ""),
    code: "APP_NOT_RUNNING",
    place
  })

const reply = (
  failure: Failure,
  id: string,
  request: IncomingMessage,
  response: ServerResponse
): void => {
  const isHtml = request.headers.accept?.includes("text/html") === true
  const nonce = randomBytes(16).toString("base64")
  response.writeHead(503, {
    "cache-control": "no-store",
    connection: "close",
    "content-security-policy": `default-src 'none'; connect-src 'self'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'`,
    "content-type": isHtml ? "text/html; charset=utf-8" : "application/problem+json",
    [header]: id,
    "x-content-type-options": "nosniff"
  })
  response.end(isHtml ? html(failure, id, nonce) : problem(failure, request.url))
  // Unread bytes of the request would reset the connection before the client has read the reply.
  request.resume()
}

/** Creates the function that answers the requests of a connection. */
export const make = (): ((socket: Socket, failure: Failure) => void) => {
  const ids = new WeakMap<Failure, string>()
  const failures = new WeakMap<Socket, Failure>()
  const server = createServer((request, response) => {
    const failure = failures.get(request.socket)!
    reply(failure, ids.get(failure)!, request, response)
  })
  return (socket, failure) => {
    if (!ids.has(failure)) ids.set(failure, randomBytes(8).toString("hex"))
    failures.set(socket, failure)
    server.emit("connection", socket)
    socket.resume()
  }
}

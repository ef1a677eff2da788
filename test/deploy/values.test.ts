// The numbers in deploy/nginx against the defaults of `server`: each has a side on which it must be.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { ServerConfig } from "../../src/Server/ServerConfig.ts"
import { root } from "../examples/process.ts"
import { files as manifests } from "./k8s.ts"
import { amount, directive, files } from "./nginx.ts"

const server = Schema.decodeUnknownSync(Schema.toCodecJson(ServerConfig.schema))({})

const value = (name: string, file: string) => amount(directive(name, file)[0]!)

describe("deploy/nginx fits the defaults of the section server", () => {
  it("closes idle connections before the service does", () => {
    expect(value("keepalive_timeout", "upstream.conf")).toBeLessThan(
      Duration.toMillis(server.keepAlive)
    )
    expect(Duration.toMillis(server.keepAlive)).toBeLessThan(
      Duration.toMillis(server.headersTimeout)
    )
  })

  it("refuses longer bodies than the service", () => {
    expect(value("client_max_body_size", "nginx.conf")).toBeLessThanOrEqual(server.bodyLimit)
  })

  it("refuses longer heads and lines than the service", () => {
    const [count, size] = directive("large_client_header_buffers", "nginx.conf").map(amount)
    expect(size).toBeLessThanOrEqual(server.maxLineBytes)
    expect(count! * size!).toBeLessThanOrEqual(server.maxHeaderBytes)
  })

  it("gives up on slow clients before the service would give up on nginx", () => {
    const whole = Duration.toMillis(server.requestTimeout)
    expect(value("client_header_timeout", "nginx.conf")).toBeLessThan(
      Duration.toMillis(server.headersTimeout)
    )
    expect(value("client_body_timeout", "nginx.conf")).toBeLessThan(
      Duration.toMillis(server.bodyTimeout)
    )
    expect(value("proxy_send_timeout", "proxy.conf")).toBeLessThan(
      Duration.toMillis(server.bodyTimeout)
    )
    expect(Duration.toMillis(server.bodyTimeout)).toBeLessThan(whole)
  })

  it("listens for the service where that listens", () => {
    expect(files["upstream.conf"]).toContain(`server 127.0.0.1:${server.port} `)
  })
})

describe.each([
  ["docs/behind-a-proxy.md", "deploy/nginx", files],
  ["docs/deployment.md", "deploy/k8s", manifests]
])("%s", (page, folder, texts) => {
  it(`quotes lines that stand in ${folder}`, () => {
    const text = readFileSync(join(root, page), "utf8")
    const [, table] = text.split(`| line of \`${folder}\``)
    const rows = table!.split("\n\n", 1)[0]!.split("\n").slice(2)
    expect(rows.length).toBeGreaterThan(10)
    const all = Object.values(texts).join("\n")
    for (const row of rows) {
      const [, cell] = row.split("|")
      for (const [, line] of cell!.matchAll(/`([^`]+)`/g)) expect(all).toContain(line)
    }
  })
})

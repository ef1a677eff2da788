/** The access line as JSON, put together without the logger. */
import { escaped } from "../../Server/Exchange/Control.ts"
import { accessNames, type AccessRecord } from "../../Server/Exchange/LogOutputs.ts"
import { Reader } from "../../Server/Exchange/PlainData.ts"
import type { RouteName } from "../../Server/Exchange/ServerSpan.ts"
import { fieldName, type Origin } from "./JsonFields.ts"

/** Returns the function that makes the lines of one route: what they have in common is made once. */
export const lines = (origin: Origin, route: RouteName): ((record: AccessRecord) => string) => {
  const from = JSON.stringify({
    service: origin.service,
    version: origin.version,
    environment: origin.environment
  }).slice(1, -1)
  const template = inner(route.path)
  return (record) => {
    const { durationMs, requestId, status, trace } = record
    const method = inner(record.method)
    const path = inner(record.path)
    let fields = ""
    for (const name in record.fields) {
      if (!accessNames.has(name)) fields += member(fieldName(name), record.fields[name])
    }
    return (
      `{"time":"${iso(record.time)}","level":"info",` +
      `"message":"${method} ${template === "*" ? path : template} ${status} ${Math.round(durationMs)}ms",` +
      `${from},"requestId":"${requestId}"${fields}` +
      `${member("clientIp", record.clientIp)}${member("code", record.code)},"durationMs":${durationMs},` +
      `"isPrivileged":${record.isPrivileged},"method":"${method}","path":"${path}",` +
      `"route":"${template}","status":${status}${member("userAgent", record.userAgent)}` +
      `${trace === undefined ? "" : `,"spanId":"${inner(trace.spanId)}","traceId":"${inner(trace.traceId)}"`}}`
    )
  }
}

/** A member of a JSON object with the comma before it; empty for what is undefined. */
const member = (name: string, value: unknown): string => {
  if (typeof value === "string") return `,"${inner(name)}":"${inner(value)}"`
  const data = new Reader().value(value)
  return data === undefined ? "" : `,"${inner(name)}":${escaped(JSON.stringify(data))}`
}

/** What most texts are made of: JSON has it as it is. */
const plain = /^[\w\-./:@~]*$/

/** A text as it stands between the quotes of JSON. */
const inner = (text: string): string =>
  plain.test(text) ? text : escaped(JSON.stringify(text).slice(1, -1))

let second = 0
let prefix = ""

/** The time in ISO form; what changes within a second is its end alone. */
const iso = (time: number): string => {
  const millis = time % 1000
  if (time - millis !== second) {
    second = time - millis
    prefix = new Date(second).toISOString().slice(0, -4)
  }
  return `${prefix}${String(millis).padStart(3, "0")}Z`
}

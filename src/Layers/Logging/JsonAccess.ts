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
  const isKnown = template !== "*"
  return (record) => {
    const { clientIp, code, fields, status, trace, userAgent } = record
    const method = inner(record.method)
    const path = inner(record.path)
    // Whole numbers become text faster than fractions.
    const tenths = Math.round(record.durationMs * 10)
    const rest = tenths % 10
    const whole = (tenths - rest) / 10
    let own = ""
    for (const name in fields) {
      if (!accessNames.has(name)) own += member(startOf(name), fields[name])
    }
    return (
      `{"time":"${iso(record.time)}","level":"info",` +
      `"message":"${method} ${isKnown ? template : path} ${status} ${rest < 5 ? whole : whole + 1}ms",` +
      `${from},"requestId":"${record.requestId}"${own}` +
      `${clientIp === undefined ? "" : `,"clientIp":"${inner(clientIp)}"`}` +
      `${code === undefined ? "" : `,"code":"${inner(code)}"`}` +
      `,"durationMs":${rest === 0 ? whole : `${whole}.${rest}`},"isPrivileged":${record.isPrivileged},` +
      `"method":"${method}","path":"${path}","route":"${template}","status":${status}` +
      `${userAgent === undefined ? "" : `,"userAgent":"${inner(userAgent)}"`}` +
      `${trace === undefined ? "" : `,"spanId":"${inner(trace.spanId)}","traceId":"${inner(trace.traceId)}"`}}`
    )
  }
}

/** The starts of members, by the names of fields. Code of the app chooses the names. */
const starts = new Map<string, string>()
const maxStarts = 1024

/** Returns the start of a member of a JSON object, with the comma before it. */
const startOf = (name: string): string => {
  let start = starts.get(name)
  if (start === undefined) {
    start = `,"${inner(fieldName(name))}":`
    if (starts.size < maxStarts) starts.set(name, start)
  }
  return start
}

/** Returns a member of a JSON object; an empty text for what is undefined. */
const member = (start: string, value: unknown): string => {
  if (typeof value === "string") return `${start}"${inner(value)}"`
  if (typeof value === "boolean") return `${start}${value}`
  const data = new Reader().value(value)
  return data === undefined ? "" : start + escaped(JSON.stringify(data))
}

/** Printable ASCII without quotes and backslashes: JSON has it as it is. */
const plain = /^[ !#-[\]-~]*$/

/** A text as it stands between the quotes of JSON. */
const inner = (text: string): string =>
  plain.test(text) ? text : escaped(JSON.stringify(text).slice(1, -1))

let millis = -1
let text = ""

/** The time in ISO form. Several lines have the same millisecond. */
const iso = (time: number): string => {
  if (time !== millis) {
    millis = time
    text = new Date(time).toISOString()
  }
  return text
}

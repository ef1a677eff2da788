/** The reply of a collector that accepted a request. */

/** The records of a request that the collector did not take. */
export interface Rejected {
  readonly count: number
  readonly message: string
}

/** More of a reply is not read. */
const maxBytes = 65_536

/** Reads the body of a reply, cut to a limit. */
export const read = async (body: AsyncIterable<Uint8Array>): Promise<Uint8Array> => {
  const chunks: Array<Uint8Array> = []
  let size = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    size += chunk.length
    // Leaving the loop closes the connection.
    if (size >= maxBytes) break
  }
  return Buffer.concat(chunks).subarray(0, maxBytes)
}

/**
 * Returns what the collector rejected of a request that it accepted, and undefined for nothing.
 *
 * Source: OpenTelemetry Protocol, section "Partial Success".
 */
export const rejectedOf = (
  contentType: string | undefined,
  body: Uint8Array
): Rejected | undefined => {
  const rejected =
    contentType?.startsWith("application/json") === true ? ofJson(body) : ofProtobuf(body)
  return rejected !== undefined && rejected.count > 0 ? rejected : undefined
}

const ofJson = (body: Uint8Array): Rejected | undefined => {
  try {
    const reply = JSON.parse(new TextDecoder().decode(body)) as {
      readonly partialSuccess?: Readonly<Record<string, unknown>> | null
    } | null
    const partial = reply?.partialSuccess ?? {}
    const count =
      partial["rejectedSpans"] ?? partial["rejectedLogRecords"] ?? partial["rejectedDataPoints"]
    return { count: Number(count ?? 0), message: String(partial["errorMessage"] ?? "") }
  } catch {
    return undefined
  }
}

/** A partial success is field 1 of the reply; in it 1 is the count and 2 the message. */
const ofProtobuf = (body: Uint8Array): Rejected | undefined => {
  const partial = fieldsOf(body)?.get(1)
  const fields = typeof partial === "object" ? fieldsOf(partial) : undefined
  if (fields === undefined) return undefined
  const message = fields.get(2)
  return {
    count: Number(fields.get(1) ?? 0),
    message: typeof message === "object" ? new TextDecoder().decode(message) : ""
  }
}

/** Returns the fields of a message that has varints and bytes only; undefined for any other. */
const fieldsOf = (body: Uint8Array): ReadonlyMap<number, number | Uint8Array> | undefined => {
  const fields = new Map<number, number | Uint8Array>()
  let at = 0
  const varint = () => {
    let value = 0
    for (let factor = 1; at < body.length; factor *= 128) {
      const byte = body[at++]!
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
    return NaN
  }
  while (at < body.length) {
    const tag = varint()
    const value = varint()
    if (Number.isNaN(value) || (tag & 7) > 2 || (tag & 7) === 1) return undefined
    if ((tag & 7) === 0) fields.set(tag >>> 3, value)
    else {
      fields.set(tag >>> 3, body.subarray(at, at + value))
      at += value
    }
  }
  return fields
}

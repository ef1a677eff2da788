/** The error replies of a server that cannot serve now. */

/** An error reply as the log and metrics have it. */
export interface Refusal {
  /** The first word of the reply, such as `LOADING`. */
  readonly code: string
  /** Whether another connection may reach a server that serves. */
  readonly reconnects: boolean
}

/**
 * The codes of replies that depend on the state of the server and not on the command, each with whether
 * a new connection may help. After a failover the old connection leads to a replica, which refuses writes.
 */
const codes: Readonly<Record<string, boolean>> = {
  BUSY: false,
  CLUSTERDOWN: false,
  LOADING: false,
  MASTERDOWN: true,
  MISCONF: false,
  NOAUTH: true,
  NOREPLICAS: false,
  OOM: false,
  READONLY: true,
  TRYAGAIN: false,
  UNBLOCKED: true
}

/** Returns the code of an error reply, such as `WRONGTYPE`; `ERR` if it has none of its own. */
export const codeOf = (message: string): string => /^([A-Z]+)\b/.exec(message)?.[1] ?? "ERR"

/** Returns the refusal in an error reply, or undefined if the reply is about the command. */
export const of = (message: string): Refusal | undefined => {
  const code = codeOf(message)
  return Object.hasOwn(codes, code) ? { code, reconnects: codes[code]! } : undefined
}

/** Whether the start may wait for this error reply to a new connection to pass. */
export const passes = (message: string): boolean =>
  ["BUSY", "LOADING", "MASTERDOWN"].includes(codeOf(message)) ||
  message.includes("max number of clients")

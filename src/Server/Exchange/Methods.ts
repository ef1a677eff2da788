/** The methods that spans and metrics name. Callers can send any other. */

/** Source: OpenTelemetry, `http.request.method`. */
const known: ReadonlySet<string> = new Set([
  "CONNECT",
  "DELETE",
  "GET",
  "HEAD",
  "OPTIONS",
  "PATCH",
  "POST",
  "PUT",
  "QUERY",
  "TRACE"
])

/** The name of every unknown method. */
export const other = "_OTHER"

/** Checks whether the conventions of OpenTelemetry know a method. */
export const isKnown = (method: string): boolean => known.has(method)

/** The slots: the named places in the order of the middleware around handlers. */

/**
 * The slots, outermost first, each with the reason why it comes before the next.
 */
export const slots = [
  {
    before:
      "Preflights are answered before any other slot runs; the access log still has a line for them.",
    name: "TransportSecurity"
  },
  {
    before:
      "A failed authentication is a request like any other: it has an id, a span and an access line.",
    name: "Logging"
  },
  { before: "Limits are kept per caller, so the caller is known first.", name: "Authentication" },
  { before: "A refused request never opens a transaction.", name: "RateLimit" },
  {
    before: "What an app adds around its handlers takes part in their transaction.",
    name: "Transaction"
  },
  { before: "The handler.", name: "Custom" }
] as const

/** The name of a slot. */
export type Slot = (typeof slots)[number]["name"]

/** Who may call a route, and which slots it has. */
export type Access =
  | { readonly chain: string; readonly type: "optional" }
  | { readonly chain: string; readonly type: "protected" }
  | { readonly type: "bare" }
  | { readonly type: "public" }

/** Returns the slots of a group's routes, outermost first. */
export const slotsOf = (access: Access): ReadonlyArray<Slot> => {
  switch (access.type) {
    case "bare":
      return []
    case "optional":
    case "protected":
      return slots.map(({ name }) => name)
    case "public":
      return slots.flatMap(({ name }) => (name === "Authentication" ? [] : [name]))
  }
}

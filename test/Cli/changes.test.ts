import { describe, expect, it } from "vitest"
import * as Changes from "../../src/Cli/Routes/Changes.ts"
import type { Lock, LockedRawGroup, LockedRoute } from "../../src/Cli/Routes/Lock.ts"

const lock = (routes: Lock["routes"], rawGroups: Lock["rawGroups"] = {}): Lock => ({
  rawGroups,
  routes,
  version: 1
})

const base: LockedRoute = { access: "protected", chain: "default", name: "orders.create" }

/** The changes from one route to another, each as `kind: what the message says of the route`. */
const between = (before: Partial<LockedRoute>, after: Partial<LockedRoute>) =>
  Changes.of(
    lock({ "POST /orders": { ...base, ...before } }),
    lock({ "POST /orders": { ...base, ...after } })
  ).map(({ kind, message }) => `${kind}: ${message.replace("POST /orders (orders.create) ", "")}`)

const open = (access: LockedRoute["access"]): LockedRoute => ({ access, name: "orders.create" })

const five = { burst: 5, limit: 5, name: "login", window: 60_000 }

describe("a route is less protected", () => {
  it.each<[Partial<LockedRoute>, Partial<LockedRoute>, string]>([
    [{}, { access: "public" }, "became public: everybody may call it. It was protected."],
    [
      { access: "protected", chain: "staff" },
      { access: "optional", chain: "staff" },
      'became optional by the chain "staff": callers without credentials reach it. It was protected by the chain "staff".'
    ],
    [
      { access: "public" },
      { access: "bare" },
      "became bare: everybody may call it, without limits and without a line in the log. It was public."
    ],
    [
      { scopes: ["orders:read", "orders:write"] },
      { scopes: ["orders:read"] },
      "lost the scope orders:write: callers without it reach the handler."
    ],
    [
      { anyScope: [["guest", "staff"]] },
      {},
      "no longer asks for one of the scopes guest, staff: callers without them reach the handler."
    ],
    [
      { policies: ["own-order"] },
      {},
      "lost the policy own-order: callers that it refuses reach the handler."
    ],
    [
      { transaction: "read-write" },
      {},
      "lost its read-write transaction: if it fails halfway, what it wrote stays."
    ],
    [
      { transaction: "read-only" },
      {},
      "lost its read-only transaction: its queries may see different states."
    ],
    [
      { transaction: "read-only" },
      { transaction: "read-write" },
      "may write in its transaction: it was read-only."
    ],
    [
      { bodyLimit: 1 },
      { bodyLimit: 2 },
      "has another limit: the limit of its body is 2 bytes. It was 1 bytes."
    ],
    [{ timeout: 2000 }, {}, "has another limit: its timeout is none. It was 2s."],
    [{ rateLimit: five }, {}, "lost its rate limit: a caller may send any number of requests."],
    [
      { rateLimit: five },
      { rateLimit: { ...five, limit: 50 } },
      'has another rate limit: 50 requests in 1m, 5 at once, as "login". It was 5 requests in 1m, 5 at once, as "login".'
    ]
  ])("from %j to %j", (before, after, text) => {
    expect(between(before, after)).toContain(`weaker: ${text}`)
  })
})

describe("a route is different, but not less protected", () => {
  it.each<[Partial<LockedRoute>, Partial<LockedRoute>, string]>([
    [
      { access: "public" },
      {},
      "became protected: only authenticated callers reach it. It was public."
    ],
    [{}, { chain: "staff" }, 'is protected by the chain "staff" now. It was protected.'],
    [{}, { scopes: ["a"] }, "asks for the scope a now."],
    [{}, { policies: ["own-order"] }, "has the policy own-order now."],
    [{ unguarded: true }, {}, "is no longer marked as unguarded."],
    [{}, { unguarded: true }, "is marked as unguarded now."],
    [{}, { transaction: "read-write" }, "has a read-write transaction now."],
    [
      { transaction: "read-write" },
      { transaction: "read-only" },
      "has a read-only transaction now: the database refuses its writes."
    ],
    [
      { bodyLimit: 2 },
      { bodyLimit: 1 },
      "has another limit: the limit of its body is 1 bytes. It was 2 bytes."
    ],
    [{}, { rateLimit: { name: "default" } }, "has a rate limit now: that of the configuration."],
    [{}, { name: "orders.place" }, "was named orders.create."]
  ])("from %j to %j", (before, after, text) => {
    const changes = between(before, after).map((change) =>
      change.replace("POST /orders (orders.place) ", "")
    )
    expect(changes).toEqual([`different: ${text}`])
  })
})

describe("guards that imply others", () => {
  it("all scopes imply one of them, and a stricter choice implies a wider one", () => {
    expect(between({ anyScope: [["a", "b"]] }, { scopes: ["a"] })).toEqual([
      "different: asks for the scope a now."
    ])
    expect(between({ anyScope: [["a", "b", "c"]] }, { anyScope: [["a", "b"]] })).toEqual([
      "different: asks for one of the scopes a, b now."
    ])
  })

  it("a wider choice does not imply a stricter one", () => {
    const kinds = between({ anyScope: [["a", "b"]] }, { anyScope: [["a", "b", "c"]] })
    expect(kinds[0]).toMatch(/^weaker: /)
    expect(between({ scopes: ["a"] }, { anyScope: [["a", "b"]] })[0]).toMatch(/^weaker: lost/)
  })
})

describe("routes and groups that come and go", () => {
  it("have what protects them, and what their callers get", () => {
    const route: LockedRoute = { ...base, scopes: ["a"], transaction: "read-write" }
    expect(
      Changes.of(
        lock({ "GET /a": { access: "public", name: "a.a" } }, { docs: { access: "public" } }),
        lock({ "GET /b": route }, { probes: { access: "bare" } })
      )
    ).toEqual([
      {
        kind: "different",
        message: "GET /b (orders.create) is new: protected, scope a, read-write transaction."
      },
      {
        kind: "different",
        message: "GET /a (a.a) was removed: callers of it get an error."
      },
      {
        kind: "different",
        message: 'The group "docs" was removed: callers of its routes get an error.'
      },
      { kind: "different", message: 'The group "probes" is new: bare.' }
    ])
  })

  it("a route at another path is compared with the route of its name", () => {
    expect(
      Changes.of(lock({ "POST /v1/orders": base }), lock({ "POST /v2/orders": open("public") }))
    ).toEqual([
      {
        kind: "weaker",
        message:
          "POST /v2/orders (orders.create) became public: everybody may call it. It was protected."
      },
      {
        kind: "different",
        message: "POST /v2/orders (orders.create) was POST /v1/orders: callers of it get an error."
      }
    ])
  })

  it("a group of plain routes is less protected if it becomes public", () => {
    const of = (group: LockedRawGroup) => lock({}, { admin: group })
    expect(
      Changes.of(of({ access: "protected", chain: "staff" }), of({ access: "public" }))
    ).toEqual([
      {
        kind: "weaker",
        message:
          'The group "admin" became public: everybody may call it. It was protected by the chain "staff".'
      }
    ])
  })

  it("equal locks do not differ", () => {
    expect(between({ scopes: ["a"] }, { scopes: ["a"] })).toEqual([])
  })
})

/** `routes.lock` of a new project. */
import * as Lock from "../../Routes/Lock.ts"
import type { Files, Project } from "../Project.ts"

const probes = ["healthz", "livez", "readyz"].map((name): [string, Lock.LockedRoute] => [
  `GET /${name}`,
  { access: "bare", name: `probes.${name}` }
])

const items = {
  "GET /v1/items": "list",
  "POST /v1/items": "create",
  "DELETE /v1/items/:id": "remove",
  "GET /v1/items/:id": "read",
  "PATCH /v1/items/:id": "update",
  "PUT /v1/items/:id": "replace"
}

const itemsRoutes = ({ auth, db, template }: Project): ReadonlyArray<[string, Lock.LockedRoute]> =>
  Object.entries(items).map(([route, name]) => [
    route,
    {
      ...(auth === "none"
        ? ({ access: "public" } as const)
        : ({ access: "protected", chain: "default" } as const)),
      name: `items.${name}`,
      ...(auth !== "none" && template === "full" ? { rateLimit: { name: "default" } } : {}),
      ...transaction(db, route)
    }
  ])

const transaction = (db: Project["db"], route: string): Pick<Lock.LockedRoute, "transaction"> =>
  db === "none" ? {} : { transaction: route.startsWith("GET ") ? "read-only" : "read-write" }

export const files = (project: Project): Files => {
  const { db, template } = project
  const lock: Lock.Lock = {
    rawGroups: {
      "health-moved": { access: "public" },
      openapi: { access: "public" },
      "probes-moved": { access: "bare" }
    },
    routes: Object.fromEntries<Lock.LockedRoute>([
      [
        "GET /healthcheck",
        { access: "public", name: "health.healthcheck", ...transaction(db, "GET ") }
      ],
      ...probes,
      ...(template === "minimal"
        ? [["GET /v1/hello/:name", { access: "public", name: "hello.greet" }] as const]
        : itemsRoutes(project))
    ]),
    version: 1
  }
  return { [Lock.file]: Lock.print(lock) }
}

/** The role of a process: which contributions of its app it carries out. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { AppConfig } from "./AppConfig.ts"

/**
 * What a contribution belongs to: `server` serves requests, `worker` takes jobs of queues and carries out
 * workflows, `scheduler` starts jobs when they are due.
 */
export type Role = "scheduler" | "server" | "worker"

/**
 * Returns whether this process has the role: `app.role`, variable `FLANGE_ROLE`, names it or is `all`, the
 * default.
 */
export const has = (role: Role): Effect.Effect<boolean> =>
  Effect.contextWith((services: Context.Context<never>) => {
    // Every app has this section. A service of a battery that a test builds alone has none.
    const own = Context.getOrUndefined(services, AppConfig)?.role ?? "all"
    return Effect.succeed(own === "all" || own === role)
  })

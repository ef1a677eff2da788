/** The password of new connections, which may change while the app runs. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { ConfiguredSecret } from "../../Plugin/Secrets.ts"
import type { Settings } from "./DatabaseConfig.ts"
import { parse, type Target } from "./DatabaseUrl.ts"

/** Reads the password for a new connection; undefined if the configuration has the password itself. */
export type Password = Effect.Effect<Redacted.Redacted> | undefined

/**
 * Returns how the password is read. If the secret cannot be read, the last password that could be read
 * is used: connections that are open keep working, and the server decides about new ones.
 */
export const passwordOf = (settings: Settings, target: Target): Effect.Effect<Password> =>
  Effect.map(ConfiguredSecret, (secretAt) => {
    if (target._tag === "Embedded") return undefined
    const isUrl = settings.url !== undefined
    const secret = secretAt(isUrl ? "database.url" : "database.password")
    if (secret === undefined) return undefined
    let last = target.password
    return secret.pipe(
      Effect.map((value) => {
        if (!isUrl) return (last = value)
        const parsed = parse(Redacted.value(value))
        if (parsed !== undefined && parsed._tag !== "Embedded") last = parsed.password
        return last
      }),
      Effect.catch(({ message }) =>
        Effect.as(Effect.logWarning(`The last password of the database is used. ${message}`), last)
      )
    )
  })

/** The configuration section `admin`. */
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"
import { isLoopback } from "../../Config/Loopback.ts"

/** Shorter ones can be guessed: the port does not limit how many a client tries. */
const shortestToken = 16

const words = `a secret of ${shortestToken} characters at least`

const Token = Config.Secret.check(
  Schema.makeFilter((token) => Redacted.value(token).length >= shortestToken, { expected: words })
).pipe(Config.expected(words))

/** The fields of the section that say where the port listens. */
export const fields = {
  host: Schema.String.pipe(Config.withDefault("127.0.0.1")),
  // The port beside the app's own 8080, as other servers have it for administration.
  port: Config.Port.pipe(Config.withDefault(8081))
}

/** The variables of these fields. */
export const variables = { ADMIN_HOST: "host", ADMIN_PORT: "port" }

/**
 * Section `admin`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `host` | `127.0.0.1` | address of the admin port; other machines reach any other than a loopback address, so it needs `token` or `Admin.protectedWith`; variable `ADMIN_HOST` |
 * | `port` | 8081 | number of the admin port, 0 for any free one; variable `ADMIN_PORT` |
 * | `token` | none | secret that clients send as a bearer token, 16 characters at least; variable `ADMIN_TOKEN` |
 */
export const AdminConfig = Config.section(
  "admin",
  { ...fields, token: Schema.optionalKey(Token) },
  {
    check: ({ host, token }) =>
      token !== undefined || isLoopback(host)
        ? []
        : [
            {
              expected: words,
              key: "token",
              reason: `other machines reach admin.host "${host}"; 127.0.0.1 and Admin.protectedWith need no token`
            }
          ],
    variables: { ...variables, ADMIN_TOKEN: "token" }
  }
)

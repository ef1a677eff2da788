/** The configuration section `secrets`. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"

const span = (text: string) =>
  Config.Duration.check(
    Schema.makeFilter((time) => Duration.isFinite(time) && Duration.toMillis(time) > 0, {
      expected: 'a duration above zero, such as "1 minute"'
    })
  ).pipe(Config.withDefault(text))

const Url = Schema.String.check(
  Schema.makeFilter((text) => /^https?:\/\/[^\s@]+$/.test(text) && URL.canParse(text))
).pipe(Config.expected('a URL such as "http://127.0.0.1:4566"'))

/**
 * Section `secrets`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `directory` | `/run/secrets` | the directory of the provider `files`: one file for each secret; variable `SECRETS_DIRECTORY` |
 * | `endpoint` | that of AWS | another server for the provider `aws`, such as one for tests |
 * | `maxStale` | 24 h | how long after its `ttl` a secret of AWS is used while AWS cannot be asked |
 * | `providers` | `files`, `environment` | where secrets are looked up, in this order: `aws`, `environment`, `files`; variable `SECRETS_PROVIDERS` |
 * | `region` | as the AWS SDK finds it: `AWS_REGION`, then the profile | the region of the provider `aws` |
 * | `timeout` | 5 s | how long one read may take |
 * | `ttl` | 5 min | how long a secret of AWS is used before it is read again |
 */
export const SecretsConfig = Config.section(
  "secrets",
  {
    directory: Schema.NonEmptyString.pipe(Config.withDefault("/run/secrets")),
    endpoint: Schema.optionalKey(Url),
    maxStale: span("24 hours"),
    providers: Schema.Array(Schema.Literals(["aws", "environment", "files"]))
      .check(Schema.isMinLength(1), Schema.isUnique())
      .pipe(Config.withDefault(["files", "environment"])),
    region: Schema.optionalKey(Schema.NonEmptyString),
    timeout: span("5 seconds"),
    ttl: span("5 minutes")
  },
  { variables: { SECRETS_DIRECTORY: "directory", SECRETS_PROVIDERS: "providers" } }
)

/** The decoded section `secrets`. */
export type Settings = (typeof SecretsConfig)["Service"]

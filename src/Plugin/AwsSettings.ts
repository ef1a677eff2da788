/** The settings that the clients of AWS services share. */
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"

/** The longest time for connecting, in milliseconds. */
const connectionTimeout = 5000

/** What the configuration says about the server of a service. Without it, the SDK decides. */
interface Settings {
  readonly accessKeyId?: Redacted.Redacted
  readonly endpoint?: string
  readonly region?: string
  readonly secretAccessKey?: Redacted.Redacted
  readonly sessionToken?: Redacted.Redacted
  readonly timeout: Duration.Input
}

/** Returns the options of a client. */
export const options = ({
  accessKeyId,
  endpoint,
  region,
  secretAccessKey,
  sessionToken,
  timeout
}: Settings) => {
  const requestTimeout = Duration.toMillis(timeout)
  return {
    requestHandler: {
      connectionTimeout,
      requestTimeout,
      socketTimeout: requestTimeout,
      throwOnRequestTimeout: true
    },
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : {
          credentials: {
            accessKeyId: Redacted.value(accessKeyId),
            secretAccessKey: Redacted.value(secretAccessKey),
            ...(sessionToken === undefined ? {} : { sessionToken: Redacted.value(sessionToken) })
          }
        }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region })
  }
}

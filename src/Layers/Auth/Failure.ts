/** The failures of a backend. The client never sees their reasons. */
import * as Data from "effect/Data"

/**
 * The request has credentials of the backend's kind, and they are wrong. The failure
 * ends the chain: the client gets 401 with a fixed text; `reason` goes to the
 * audit and the log. Never put a credential into it.
 *
 * Rejected credentials count as guesses: after `guessing.limit` of them the client's
 * address is answered with 429. Credentials that were once issued as genuine, such
 * as a token that has expired, are not guesses: set `isGenuine`.
 */
export class CredentialsRejected extends Data.TaggedError("CredentialsRejected")<{
  readonly isGenuine?: boolean
  readonly reason: string
}> {
  override get message(): string {
    return `The credentials were rejected: ${this.reason}`
  }
}

/**
 * The backend cannot tell whether the credentials are right: its keys or its
 * store are out of reach. The client gets 503; `reason` and `cause` go to the
 * audit and the log.
 */
export class BackendUnavailable extends Data.TaggedError("BackendUnavailable")<{
  readonly cause?: unknown
  readonly reason: string
}> {
  override get message(): string {
    return `The credentials cannot be checked now: ${this.reason}`
  }
}

/**
 * A backend's settings are unsafe or cannot work: a secret that is too short, a
 * private key in the place of a public one, a key set by plain http. It fails in
 * the acquire phase.
 */
export class AuthSettingsError extends Data.TaggedError("AuthSettingsError")<{
  /** The backend. */
  readonly backend: string
  /** What is wrong and what to write instead. */
  readonly problem: string
}> {
  override get message(): string {
    return `Backend "${this.backend}": ${this.problem}`
  }
}

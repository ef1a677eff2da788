/** The library that verifies tokens. */
import * as Effect from "effect/Effect"
import type * as jose from "jose"
import { AuthSettingsError } from "../Failure.ts"

/** jose, as a value. */
export type Jose = typeof jose

/** jose is an optional peer dependency, so it is loaded when a backend needs it. */
export const loadJose = (backend: string): Effect.Effect<Jose, AuthSettingsError> =>
  Effect.tryPromise({
    catch: () =>
      new AuthSettingsError({
        backend,
        problem:
          "the package jose, which verifies tokens, is not installed. Run `npm install jose`."
      }),
    try: () => import("jose")
  })

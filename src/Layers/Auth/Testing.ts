/** Test doubles of authentication: callers without credentials. */

export * as MockAuth from "./MockAuth.ts"

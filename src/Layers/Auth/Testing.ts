/** Test doubles of authentication: `MockAuth` replaces the authentication of an app. */

export * as MockAuth from "./MockAuth.ts"

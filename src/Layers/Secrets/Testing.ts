/** Test doubles of the secrets: `TestSecrets` has them in memory. */

export * as TestSecrets from "./TestSecrets.ts"

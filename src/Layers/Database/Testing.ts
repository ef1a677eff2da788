/** Test doubles of the database: a database that a test leaves as it was. */

export * as TestDatabase from "./TestDatabase.ts"

/** Test doubles of the database: `TestDatabase` rolls back the changes of a test. */

export * as TestDatabase from "./TestDatabase.ts"

/** Test doubles of the object store: `TestObjectStore` has a store in memory. */

export * as TestObjectStore from "./TestObjectStore.ts"

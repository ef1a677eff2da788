/** Test doubles of templates: `TestTemplates` has templates in memory. */

export * as TestTemplates from "./TestTemplates.ts"

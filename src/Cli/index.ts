/** Templates of `flange new`, for organisations that have one of their own. */

export * as Template from "./New/Template.ts"

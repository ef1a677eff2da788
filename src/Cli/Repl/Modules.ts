/** The modules of Effect that a prompt has. */

export * as Cause from "effect/Cause"
export * as Context from "effect/Context"
export * as DateTime from "effect/DateTime"
export * as Duration from "effect/Duration"
export * as Effect from "effect/Effect"
export * as Exit from "effect/Exit"
export * as Layer from "effect/Layer"
export * as Option from "effect/Option"
export * as Redacted from "effect/Redacted"
export * as Result from "effect/Result"
export * as Schema from "effect/Schema"
export * as Stream from "effect/Stream"

import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { App, Preset } from "flange"
import { TestApp } from "flange/Testing"

it.live("more than ten apps in one process print no warning of Node", () =>
  Effect.gen(function* () {
    const warnings: Array<string> = []
    const note = ({ message, name }: Error) => void warnings.push(`${name}: ${message}`)
    process.on("warning", note)
    yield* Effect.addFinalizer(() => Effect.sync(() => process.off("warning", note)))
    const before = process.listenerCount("exit")
    yield* Effect.scoped(
      Effect.gen(function* () {
        for (let i = 0; i < 25; i++) {
          const app = App.make(`app${i}`, [...Preset.api])
          yield* TestApp.listening(app, { config: { logging: { format: "json" } } })
        }
        expect(process.listenerCount("exit")).toBeLessThanOrEqual(before + 1)
        // Node emits warnings in a later turn.
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      })
    )
    expect(warnings).toEqual([])
    expect(process.listenerCount("exit")).toBe(before)
  })
)

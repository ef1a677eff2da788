import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { App, Plugin } from "flange"
import * as Admin from "flange/Admin"
import { TestApp } from "flange/Testing"
import { freePort } from "../../examples/process.ts"

it.live("the admin port answers while plugins become ready, and says that the app starts", () =>
  Effect.gen(function* () {
    const port = yield* Effect.promise(freePort)
    const read = Effect.promise(async () => {
      const reply = await fetch(`http://127.0.0.1:${port}/health`)
      return ((await reply.json()) as { status: string }).status
    })
    const seen: Array<string> = []
    const slow = Plugin.make("test:slow", {
      ready: () => Effect.map(read, (status) => void seen.push(status))
    })
    const test = yield* TestApp.listening(App.make("starting", [slow, Admin.plugin]), {
      config: { admin: { port } }
    })
    expect(test.port("admin").url).toBe(`http://127.0.0.1:${port}`)
    expect([...seen, yield* read]).toEqual(["starting", "ready"])
  })
)

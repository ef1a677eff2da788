// Failures whose text is odd.
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { App, Plugin } from "flange"
import * as Database from "flange/Database"
import * as Jobs from "flange/Jobs"
import { TestApp } from "flange/Testing"
import { describe } from "vitest"

const { Job } = Jobs
const { Jobs: Service } = Jobs

const failures = {
  "goes on with a value that is no effect": Effect.flatMap(
    Effect.yieldNow,
    // A program that no compiler has checked.
    () => undefined as unknown as Effect.Effect<void>
  ),
  "has a NUL character": Effect.die(new Error("unexpected \0")),
  "is longer than the history keeps": Effect.die(new Error("\u{1f600}".repeat(2000))),
  "throws while it is written": Effect.fail({
    get message(): string {
      throw new Error("no message")
    }
  })
}

const runners = {
  cluster: [Database.plugin, Jobs.withCluster],
  local: [Jobs.plugin]
} as const

describe.each(["cluster", "local"] as const)("a job on the runner %s", (runner) => {
  for (const [what, failure] of Object.entries(failures)) {
    it.live(`whose failure ${what} runs again when it is due`, () =>
      Effect.gen(function* () {
        const odd = Plugin.make("app:odd", {
          contributes: [Job.every("odd", "100 millis", failure)]
        })
        const app = yield* TestApp.make(App.make("shop", [...runners[runner], odd]), {
          config: runner === "local" ? {} : { database: { url: "pglite://memory" } }
        })
        const failed = yield* app.run(
          Service.use(({ history }) => history("odd")).pipe(
            Effect.map((runs) => runs.filter(({ status }) => status === "failed")),
            Effect.repeat({
              schedule: Schedule.spaced("20 millis"),
              while: ({ length }) => length < 2
            })
          )
        )
        for (const { error } of failed) {
          assert.isNotEmpty(error)
          assert.isAtMost(error!.length, 2000)
        }
      })
    )
  }
})

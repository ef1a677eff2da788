// `flange jobs`: the list, the history, and a run.
import { assert, beforeAll, describe, it } from "vitest"
import { flange, project } from "./project.ts"

const files = {
  "app.ts": `
import * as Effect from "effect/Effect"
import { App, Plugin } from "flange"
import * as Jobs from "flange/Jobs"

const OrdersPlugin = Plugin.make("app:orders", {
  contributes: [
    Jobs.Job.every("orders:expire", "60 seconds", Effect.logInfo("expired")),
    Jobs.Job.cron("broken", "0 6 * * 1", Effect.fail("no stock"))
  ]
})
export const app = App.make("shop", [Jobs.plugin, OrdersPlugin])
`
}

let folder: string
beforeAll(async () => {
  folder = await project(files, ["effect", "flange"])
})

describe("flange jobs", () => {
  it("lists the jobs by name, with their schedules and no run of this process", async () => {
    const { code, stdout } = await flange(folder, "jobs", "list")
    assert.strictEqual(code, 0)
    assert.match(
      stdout,
      /^broken {2}0 6 \* \* 1 UTC {2}next \S+Z {2}never ran\norders:expire {2}every 1m {2}next \S+Z {2}never ran\n$/
    )
    const json = JSON.parse((await flange(folder, "jobs", "list", "--json")).stdout)
    assert.deepStrictEqual(
      json.map(({ name, plugin }: { name: string; plugin: string }) => [name, plugin]),
      [
        ["broken", "app:orders"],
        ["orders:expire", "app:orders"]
      ]
    )
  })

  it("runs a job in its process and prints the run on stdout alone", async () => {
    const { code, stderr, stdout } = await flange(folder, "jobs", "run", "orders:expire", "--json")
    assert.strictEqual(code, 0)
    const run = JSON.parse(stdout)
    assert.strictEqual(run.status, "succeeded")
    assert.strictEqual(run.trigger, "manual")
    assert.include(stderr, "expired")
    const history = await flange(folder, "jobs", "history", "orders:expire")
    assert.strictEqual(history.stdout, "The job has not run yet.\n")
  })

  it("exits with 1 if the job fails, and with 2 if the app does not have it", async () => {
    const failed = await flange(folder, "jobs", "run", "broken")
    assert.strictEqual(failed.code, 1)
    assert.include(failed.stderr, 'The job "broken" has failed.')
    assert.include(failed.stdout, "no stock")
    for (const command of ["run", "history"]) {
      const unknown = await flange(folder, "jobs", command, "none")
      assert.strictEqual(unknown.code, 2)
      assert.include(unknown.stderr, 'The app has no job "none". It has: ')
      assert.strictEqual(unknown.stdout, "")
    }
  })
})

// A drill with real processes: finalizers that never end, in every phase and at every plugin.
// The short form hangs at all three plugins at once. `DRILLS=full` also hangs at each alone.
import { describe, expect, it } from "vitest"
import { ready, reversed, start } from "./AppProcess.ts"

/** 0 stands for all of them. */
const positions = process.env["DRILLS"] === "full" ? [0, 1, 2, 3] : [0]

/** The plugins that hang. */
const hanging = (position: number) => (position === 0 ? [1, 2, 3] : [position])

const run = (special: string, position: number) =>
  start(special, position, { variables: { FLANGE__APP__RELEASE_TIMEOUT: "100 millis" } })

/** What the log and the report say of the plugins that have begun to acquire. */
const finalizers = (position: number, acquired = 3) =>
  hanging(position)
    .filter((i) => i <= acquired)
    .map((i) => `Plugin "p${i}": finalizer 2 of 3 of a layer`)

const middlewares = (position: number) =>
  hanging(position).map((i) => `The listener: finalizer 1 of 1 of the middleware of plugin "p${i}"`)

describe.each(positions)("finalizers that never end at position %i", (position) => {
  it("after SIGTERM while it serves are named, the others run, and it exits 70", async () => {
    const app = run("endless", position)
    await app.said(ready)
    app.kill("SIGTERM")
    expect(await app.exited).toBe(70)
    expect(app.released()).toEqual(reversed(3))
    for (const what of [...finalizers(position), ...middlewares(position)]) {
      expect(app.output.out).toContain(`${what} did not end within 100ms (app.releaseTimeout)`)
      expect(app.output.err).toContain(`  - ${what}\n`)
    }
  })

  it.each(["acquire", "bind", "ready"])(
    "after SIGTERM while a plugin cannot be interrupted in %s are named too, and it exits 70",
    async (phase) => {
      const app = run(`endless-${phase}`, position)
      await app.said(/^hanging$/m)
      app.kill("SIGTERM")
      expect(await app.exited).toBe(70)
      const stuck = position === 0 ? 2 : position
      // The resource that it has acquired before it got stuck is released as well.
      expect(app.released()).toEqual(reversed(phase === "acquire" ? stuck : 3))
      const acquired = phase === "acquire" ? stuck - 1 : 3
      for (const what of [`Plugin "p${stuck}": ${phase}`, ...finalizers(position, acquired)]) {
        expect(app.output.err).toContain(`  - ${what}\n`)
      }
    }
  )

  it("after a boot that fails are named, and it exits 1 with the reason", async () => {
    const app = run("endless-failure", position)
    expect(await app.exited).toBe(1)
    expect(app.output.err).toBe(
      "The app did not start.\n\nUnreachable: Database db.example does not answer. Start it, or set DATABASE_URL.\n"
    )
    expect(app.released()).toEqual(reversed(3))
    for (const what of finalizers(position)) expect(app.output.out).toContain(what)
  })
})

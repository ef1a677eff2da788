import { assert, it } from "vitest"
import { run } from "./fuzz/fuzz.ts"

it("mutated requests end no process, hang no connection, and are answered alike on both listeners", async () => {
  const { findings, tried } = await run({
    continues: (tried) => tried < 200,
    names: ["node", "proxied"],
    seed: 1,
    width: 16
  })
  assert.deepStrictEqual(findings, [])
  assert.strictEqual(tried, 200)
})

/** Texts for which a search for locks could take very long. */
import { expect, it } from "vitest"
import { locksRows } from "../../../../src/Layers/Database/Transaction/RowLock.ts"

const many = 500_000

it.each([
  ["spaces after a lock", `select 1 for update${" ".repeat(many)}limit (1)`, true],
  ["words of locks", `select (${"for update ".repeat(many)})`, false],
  ["parentheses", `${"(".repeat(many)}select 1 for update${")".repeat(many)}`, true],
  ["quotes", `select 1 ${"'".repeat(many)} for update`, true],
  ["comments that do not end", `select 1 ${"/*".repeat(many)} for update`, false]
])("a text with many %s is understood", (_, text, locks) => {
  expect(locksRows(text, "pg")).toBe(locks)
})

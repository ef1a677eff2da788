import { expect, it } from "vitest"
import { lint } from "./lint.ts"

/** The messages of the rule for a file. */
const messages = (text: string): ReadonlyArray<string> =>
  lint("imports", ["namespace"], text).map(({ message }) => message)

it.each([
  ["a file", `import * as Order from "./Plugin/Order.ts"`],
  ["the types of a file", `import type * as tokens from "./tokens.ts"`],
  ["the folder of an index", `import * as Config from "../Config/index.ts"`],
  ["the file's own folder", `import * as imports from "./index.ts"`],
  ["a module of Effect", `import * as Headers from "effect/http/Headers"`],
  ["a battery", `import * as Auth from "flange/Auth"`],
  ["the battery of a contract", `import * as Auth from "flange/Auth/Contract"`],
  ["a package", `import * as jose from "jose"`],
  ["a module of Node", `import * as ChildProcess from "node:child_process"`],
  ["the last part of a module of Node", `import * as Promises from "node:fs/promises"`],
  [
    "a module of Effect beside a declaration of the same name",
    `import * as EffectDuration from "effect/Duration"\nexport const Duration = EffectDuration.zero`
  ]
])("a namespace with the name of %s is accepted", (_, text) => {
  expect(messages(text)).toEqual([])
})

it.each([
  [`import * as Time from "effect/Duration"`, "Duration"],
  [`import * as EffectDuration from "effect/Duration"`, "Duration"],
  [`import type * as Definition from "./Plugin/App.ts"`, "App"],
  [`import * as index from "../Config/index.ts"`, "Config"],
  [`import * as Contract from "flange/Auth/Contract"`, "Auth"],
  [`import * as NodeCrypto from "node:crypto"`, "Crypto"],
  [`import * as Time from "effect/Duration"\nexport const Duration = Time.zero`, "EffectDuration"]
])("%s is refused", (text, name) => {
  const specifier = /"(.*)"/.exec(text)![1]
  expect(messages(text)).toEqual([
    `Import "${specifier}" as ${name}. If that reads badly, rename the file.`
  ])
})

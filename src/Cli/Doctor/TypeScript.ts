/** Checks that the compiler accepts what Node runs, and refuses what Node cannot run. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Doctor from "../../Plugin/Doctor.ts"
import * as Compiler from "../Compiler.ts"
import type { Check } from "./Check.ts"

/** The options that must be true, each with what goes wrong without it. */
const wanted = {
  allowImportingTsExtensions: "Node needs the .ts of an import, and the compiler refuses it",
  erasableSyntaxOnly: "the compiler accepts enums and parameter properties, which Node cannot run",
  strict: "the compiler does not see that a plugin lacks a service",
  verbatimModuleSyntax: "Node looks for a type that is imported without the word type"
}

/** Without it, one of the options is another. */
const replaced: Readonly<Record<string, string>> = {
  allowImportingTsExtensions: "rewriteRelativeImportExtensions"
}

const findings = (options: object): ReadonlyArray<Doctor.Finding> => {
  const isTrue = (name: string) => hasProperty(options, name) && options[name] === true
  const missing = Object.entries(wanted).filter(
    ([name]) => !isTrue(name) && !isTrue(replaced[name] ?? name)
  )
  return missing.length === 0
    ? [Doctor.ok(`tsconfig.json has ${Object.keys(wanted).join(", ")}.`)]
    : missing.map(([name, consequence]) =>
        Doctor.warning(
          `tsconfig.json does not set ${name}: ${consequence}.`,
          `Write "${name}": true into its compilerOptions`
        )
      )
}

/** Returns the check of a folder. The compiler itself resolves `extends`. */
export const check = (folder: string): Check<ChildProcessSpawner> => ({
  name: "tsconfig",
  run: Effect.gen(function* () {
    if (!existsSync(join(folder, "tsconfig.json"))) {
      return Doctor.warning(
        "There is no tsconfig.json, so that nothing compares the types of the app.",
        "Copy that of the guide: docs/getting-started.md of flange"
      )
    }
    const compiler = Compiler.find(folder)
    if (compiler === undefined) {
      return Doctor.warning(
        "TypeScript is not installed, so that nothing compares the types of the app.",
        "npm install -D typescript"
      )
    }
    const { string } = yield* ChildProcessSpawner
    const text = yield* string(
      ChildProcess.make(process.execPath, [compiler, "--project", folder, "--showConfig"])
    )
    const config: unknown = text.startsWith("{") ? JSON.parse(text) : undefined
    if (!hasProperty(config, "compilerOptions")) {
      return Doctor.failed(`tsconfig.json cannot be read: ${text.trim()}`, "Repair it there.")
    }
    return findings(config.compilerOptions as object)
  })
})

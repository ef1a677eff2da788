/** Checks of the environment and of the configuration. */
import * as Effect from "effect/Effect"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Redacted from "effect/Redacted"
import type { Inspection } from "../../Config/Load.ts"
import type { Key } from "../../Config/Report/Keys.ts"
import { entriesAt } from "../../Config/Report/Report.ts"
import { getPath } from "../../Config/Tree.ts"
import * as Doctor from "../../Plugin/Doctor.ts"
import type { Inspected } from "../Config/Inspected.ts"
import type { Check } from "./Check.ts"
import * as Repository from "./Repository.ts"

/** The environments of a developer's machine, whose secrets protect nothing. */
const own: ReadonlySet<string> = new Set(["local", "test"])

/** The values of NODE_ENV, each with the environments that it fits. */
const nodeEnvironments: Readonly<Record<string, ReadonlyArray<string>>> = {
  development: ["dev-private", "development", "local"],
  production: ["production", "staging"],
  test: ["test"]
}

/** Compares FLANGE_ENV with the known names, and with NODE_ENV, which libraries read. */
export const environment = ({
  environment,
  problems
}: Inspection): ReadonlyArray<Doctor.Finding> => {
  const refused = problems.filter(({ key }) => key === "env")
  if (refused.length > 0) {
    return refused.map(({ expected, message }) =>
      Doctor.failed(message, `Set FLANGE_ENV to ${expected}`)
    )
  }
  const node = process.env["NODE_ENV"] ?? ""
  const fitting = nodeEnvironments[node]
  return [
    fitting === undefined || fitting.includes(environment)
      ? Doctor.ok(`The environment is ${environment}.`)
      : Doctor.warning(
          `NODE_ENV is ${node}, and the environment of Flange is ${environment}: libraries and the app behave as in different ones.`,
          `Set NODE_ENV and FLANGE_ENV to the same, or leave NODE_ENV out. NODE_ENV=${node} fits FLANGE_ENV=${fitting.join(" or ")}`
        )
  ]
}

const where = "List all values with their sources: flange config"

/** Returns the problems and the warnings of the configuration. */
export const configuration = ({
  entries,
  problems,
  warnings
}: Inspection): ReadonlyArray<Doctor.Finding> => {
  const found = [
    ...problems
      .filter(({ key }) => key !== "env")
      .map(({ message }) => Doctor.failed(message, where)),
    ...warnings.map((message) => Doctor.warning(message, where))
  ]
  return found.length > 0 ? found : [Doctor.ok(`The configuration has ${entries.length} values.`)]
}

/** Words that stand where a secret will be, or that everybody guesses, without what is no letter. */
const guesses = new Set(
  "admin changeit changeme changethis dummy example fixme foo hunter mypassword mysecret password passwrd placeholder postgres replaceme root secret test todo".split(
    " "
  )
)

const isGuess = (text: string): boolean => {
  const letters = text.toLowerCase().replaceAll(/[^a-z]/g, "")
  const isWord = guesses.has(letters) && text.length <= letters.length + 4
  const isPhrase = /^(?:changeme|changethis|insert|replacewith|your)|neveruse/.test(letters)
  const isTemplate = /^(?:<|\{\{|\$\{)/.test(text) && /[>}]$/.test(text)
  const isRow = new Set(text).size === 1 || text.startsWith("123456")
  return isWord || isPhrase || isTemplate || isRow
}

/** Returns the secret itself, or the password if it is a URL. */
const secretIn = (text: string): string => {
  if (!text.includes("://")) return text
  return URL.canParse(text) ? new URL(text).password : ""
}

/** Whether a secret, or the password of a URL, is a text that everybody guesses. */
export const isPlaceholder = (text: string): boolean => isGuess(secretIn(text))

const problemOf = (declared: Key, inspected: Inspected, isTracked: (file: string) => boolean) => {
  const [entry] = entriesAt(inspected.entries, declared)
  const value = getPath(inspected.merged, declared.key.split("."))
  const text = Redacted.isRedacted(value) ? Redacted.value(value) : value
  if (!declared.isSecret || entry === undefined || typeof text !== "string") return []
  const { key } = declared
  const remedy = `Set another one with the variable ${declared.variables[0]}, or a file of a secret store with ${declared.variables[0]}_FILE`
  if (isPlaceholder(text)) {
    return [
      Doctor.failed(`${key} (${entry.source}) is a placeholder, which everybody guesses.`, remedy)
    ]
  }
  const file = entry.source.split(" ")[0]!
  return secretIn(text) !== "" && isTracked(file)
    ? [
        Doctor.failed(
          `${key} is in ${file}, which git keeps.`,
          `${remedy}. Then change it: whoever has the repository knows it`
        )
      ]
    : []
}

/** Returns the check of the secrets. It never shows one. */
export const secrets = (folder: string, inspected: Inspected): Check<ChildProcessSpawner> => ({
  name: "secrets",
  run: own.has(inspected.environment)
    ? Effect.succeed(
        Doctor.skipped(`The secrets of the environment ${inspected.environment} may be known.`)
      )
    : Effect.map(
        Repository.tracked(folder, "flange.json", "flange.toml", "flange.yaml", "flange.yml"),
        (files) => {
          const found = inspected.keys.flatMap((key) =>
            problemOf(key, inspected, (file) => files.includes(file))
          )
          const count = inspected.keys.filter(
            (key) => key.isSecret && entriesAt(inspected.entries, key).length > 0
          ).length
          return found.length > 0 ? found : Doctor.ok(`No placeholder is among ${count} secrets.`)
        }
      )
})

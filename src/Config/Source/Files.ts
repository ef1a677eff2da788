/** Reads configuration files: JSON, TOML and YAML. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import { type Problem, problemAt } from "../ConfigError.ts"
import { inexactNumbers, isPlain, sanitize, type Tree, tree } from "../Tree.ts"
import { parseJson } from "./JsonPosition.ts"

/** Values that were read, the label of their source, and their problems. */
export interface Loaded {
  readonly label: string | undefined
  readonly problems: ReadonlyArray<Problem>
  readonly values: Tree
}

const names = ["flange.json", "flange.toml", "flange.yaml", "flange.yml"] as const

const fileProblem = (source: string, expected: string, message: string): Problem => ({
  expected,
  key: "(file)",
  message,
  nearest: undefined,
  received: undefined,
  source
})

/** Creates a tree of the given values, with a problem for every key that is refused. */
export const fromValues = (label: string, input: unknown): Loaded => {
  const { refused, value } = sanitize(input)
  const problems = refused.map(({ key, reason }): Problem => ({
    expected:
      reason === "cycle" ? "values without cycles" : "a key that is not on Object.prototype",
    key,
    message:
      reason === "cycle"
        ? `The value of ${key} in ${label} contains itself: write plain data.`
        : `The key ${key} in ${label} is refused because it can change the prototype of objects: ` +
          "choose another name.",
    nearest: undefined,
    received: undefined,
    source: label
  }))
  if (isPlain(value)) return { label, problems, values: value }
  const empty = value === undefined || value === null
  const shape = fileProblem(
    label,
    "an object with one key per section",
    `${label} holds ${Array.isArray(value) ? "a list" : `a ${typeof value}`} at the top: write ` +
      "an object with one key per section."
  )
  return { label, problems: empty ? problems : [...problems, shape], values: tree([]) }
}

type Parsed = { readonly value: unknown } | { readonly where: string; readonly why: string }

// The parsers quote the text that they refuse, which may be a secret. So quotes of more than one
// character are removed.
const describe = (message: string): Parsed => {
  const place = /^(.*) at (?:(line \d+(?:, column \d+)?)|flow offset \d+)$/s.exec(message)
  const why = withoutQuote(place?.[1] ?? message)
  return { where: place?.[2] ?? "", why: why.charAt(0).toLowerCase() + why.slice(1) }
}

/** Removes the quote at the end of a message if it is longer than a character. */
const withoutQuote = (message: string): string => {
  const start = message.indexOf(" '")
  return start !== -1 && message.endsWith("'") && message.length - start >= " 'ab'".length
    ? message.slice(0, start)
    : message
}

// The parser of a format is loaded for a file of that format only.
const parsers: Readonly<Record<string, (text: string) => Parsed | Promise<Parsed>>> = {
  ".json": (text) => {
    const parsed = parseJson(text)
    if ("value" in parsed) return parsed
    return { where: `line ${parsed.line}, column ${parsed.column}`, why: parsed.reason }
  },
  ".toml": async (text) => {
    const Toml = await import("effect/encoding/Toml")
    return Result.match(Toml.parse(text), {
      onFailure: (error) => describe(error.message),
      onSuccess: (value): Parsed => ({ value })
    })
  },
  ".yaml": async (text) => {
    const Yaml = await import("effect/encoding/Yaml")
    try {
      return { value: Yaml.parse(text) }
    } catch (error) {
      return describe(error instanceof Error ? error.message : "not YAML")
    }
  }
}

const parse = async (label: string, extension: string, text: string): Promise<Loaded> => {
  const format = extension === ".yml" ? ".yaml" : extension
  const name = format.slice(1).toUpperCase()
  const parsed = await parsers[format]?.(text.replace(/^\uFEFF/, ""))
  if (parsed === undefined) {
    return failed(
      fileProblem(
        label,
        "a file that ends in .json, .toml, .yaml or .yml",
        `The format of ${label} is not known from its name: use .json, .toml, .yaml or .yml.`
      )
    )
  }
  if ("value" in parsed) {
    const loaded = fromValues(label, parsed.value)
    const inexact = inexactNumbers(loaded.values, /inf/i.test(text)).map((path) =>
      problemAt(
        path.join("."),
        label,
        "a number up to 9007199254740991, or text in quotes",
        `The number of ${path.join(".")} in ${label} has more digits than a number keeps: write a ` +
          "smaller one, or write it in quotes."
      )
    )
    return { ...loaded, problems: [...loaded.problems, ...inexact] }
  }
  const where = parsed.where === "" ? "" : ` ${parsed.where}`
  return failed(
    fileProblem(
      `${label}${where}`,
      `valid ${name}`,
      `${label} is not valid ${name}${where === "" ? "" : ` at${where}`} (${parsed.why}): repair it there.`
    )
  )
}

const failed = (problem: Problem): Loaded => ({
  label: undefined,
  problems: [problem],
  values: tree([])
})

/**
 * Reads the given file, or else the only `flange.*` file of the directory. Returns empty values if
 * there is no such file.
 */
export const readFile = Effect.fnUntraced(function* (options: {
  readonly directory?: string | undefined
  readonly file?: string | undefined
}): Effect.fn.Return<Loaded, never, FileSystem.FileSystem | Path.Path> {
  const fileSystem = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const directory = path.resolve(options.directory ?? ".")
  const found =
    options.file === undefined
      ? yield* Effect.filter(names, (name) =>
          fileSystem.exists(path.join(directory, name)).pipe(Effect.orElseSucceed(() => false))
        )
      : [options.file]
  const label = found[0]
  if (label === undefined) return { label: undefined, problems: [], values: tree([]) }
  if (found.length > 1) {
    return failed(
      fileProblem(
        found.join(", "),
        "one configuration file",
        `The directory has ${found.join(" and ")}: keep one of them, or name one explicitly.`
      )
    )
  }
  const text = yield* fileSystem
    .readFileString(path.resolve(directory, label))
    .pipe(Effect.match({ onFailure: (error) => error, onSuccess: (content) => content }))
  if (typeof text === "string") {
    return yield* Effect.promise(() => parse(label, path.extname(label).toLowerCase(), text))
  }
  return failed(
    fileProblem(
      label,
      "a file that can be read",
      `${label} cannot be read (${text.reason._tag}): check that it exists in ${directory} and who ` +
        "may read it."
    )
  )
})

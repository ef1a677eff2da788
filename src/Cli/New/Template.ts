/**
 * Templates of new projects: pure functions from answers to files, with the questions that they ask.
 * An organisation exports one as `template` of a package, and `flange new --template PACKAGE` uses it.
 */
import { hasProperty } from "effect/Predicate"
import * as BuiltInFiles from "./BuiltInFiles.ts"
import {
  defaults,
  type ExtraPlugin,
  type Files,
  type Project as BuiltInProject
} from "./Project.ts"
import type { Answers, Questions } from "./Question.ts"

export type { ExtraPlugin, Files } from "./Project.ts"
export {
  type Answers,
  type Choice,
  choice,
  type Confirm,
  confirm,
  type Question,
  type Questions,
  type Text,
  text
} from "./Question.ts"

const TypeId = "~flange/Template"

/** A project to make: its name, and the answers to the questions of its template. */
export interface Project<Of> {
  readonly answers: Of
  /** What `package.json` has as the version of `flange`. */
  readonly flange: string
  /** The name of the package: lower-case letters, digits and hyphens. */
  readonly name: string
}

/** A template of new projects. */
export interface Template {
  readonly [TypeId]: typeof TypeId
  readonly description: string
  readonly files: (project: Project<Readonly<Record<string, unknown>>>) => Files
  readonly questions: Questions
}

/**
 * Creates a template. `flange new` asks its questions in a terminal; a command line answers them with
 * `--answer name=value`. `files` returns the text of each file by its path.
 *
 * @example
 * ```ts
 * import { Template } from "flange/Cli"
 *
 * export const template = Template.make({
 *   description: "A service of Acme",
 *   files: ({ answers, ...project }) => ({
 *     ...Template.files({ ...project, auth: "jwt", db: "postgres", template: "api" }),
 *     "CODEOWNERS": `* @acme/${answers.team}\n`
 *   }),
 *   questions: {
 *     team: Template.text({ default: "platform", message: "Which team owns it?" })
 *   }
 * })
 * const files = template.files({ answers: { team: "shop" }, flange: "0.1.0", name: "orders" })
 * files["CODEOWNERS"] // => "* @acme/shop\n"
 * ```
 */
export const make = <const Q extends Questions>(options: {
  /** One sentence, which `flange new` shows. */
  readonly description: string
  /** Returns the text of each file by its path, which has slashes and lies in the project. */
  readonly files: (project: Project<Answers<Q>>) => Files
  /** The questions, by the names of their answers. */
  readonly questions: Q
}): Template => ({
  [TypeId]: TypeId,
  description: options.description,
  // The answers are read by the questions, so they have their types.
  files: options.files as Template["files"],
  questions: options.questions
})

/** Checks for a template, also one that another copy of Flange made. */
export const isTemplate = (value: unknown): value is Template => hasProperty(value, TypeId)

/** How callers authenticate and where the sample keeps its data. */
interface Choices {
  /** How callers authenticate. Default: `jwt`. */
  readonly auth?: BuiltInProject["auth"] | undefined
  /** The database. Default: `pglite` for `api`, and `postgres` for `full`. */
  readonly db?: BuiltInProject["db"] | undefined
}

/** A project of a built-in template. */
export type BuiltInOptions = Omit<Project<unknown>, "answers"> & {
  /** Plugins that the app lists too. Default: none. */
  readonly plugins?: ReadonlyArray<ExtraPlugin> | undefined
} & (
    | (Choices & { readonly template: "api" | "full" })
    // A greeting needs neither.
    | { readonly template: "minimal" }
  )

/** Returns the files of a built-in template, for a template that changes or extends them. */
export const files = (options: BuiltInOptions): Files => {
  const { flange, name, plugins = [], template } = options
  const choices: Choices = options.template === "minimal" ? {} : options
  const { auth = defaults[template].auth, db = defaults[template].db } = choices
  return BuiltInFiles.files({ auth, db, flange, name, plugins, template })
}

/** The service over sources of templates: all of them are compiled and checked when it is made. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaJITCompiler from "effect/schema/SchemaJITCompiler"
import * as Thrown from "../../Config/Thrown.ts"
import { type Html, rendered } from "../../Contract/Markup.ts"
import * as OwnKeys from "../../Contract/OwnKeys.ts"
import * as Compile from "./Compile.ts"
import type { Compiled } from "./Compiled.ts"
import * as Mentions from "./Mentions.ts"
import { Page, type Rules } from "./Page.ts"
import * as Printer from "./Printer.ts"
import type { Source } from "./Source.ts"
import type { Template } from "./Template.ts"
import { TemplateError, TemplatesInvalid } from "./TemplateError.ts"
import type { Shape } from "./Templates.ts"

/** A template of any data. */
export type AnyTemplate = Template<Schema.Top>

/** What the service is made of. */
export interface Options {
  /** Whether templates are read again if they have changed. */
  readonly isReloaded: boolean
  /** The longest page, in characters. */
  readonly maxSize: number
  /** Of several that have a template, the first counts. */
  readonly sources: ReadonlyArray<Source>
  /** Those that can be rendered; undefined for any. */
  readonly templates: ReadonlyArray<AnyTemplate> | undefined
}

/** A template as it was read. */
interface Loaded {
  /** The template, or why it cannot be compiled. */
  readonly made: Compiled | TemplateError
  readonly text: string | undefined
}

/** Templates by name. */
type All = ReadonlyMap<string, Loaded>

const problem = (template: string | undefined, reason: string, line?: number): TemplateError =>
  new TemplateError({ line, reason, template })

/** Loads Eta. */
const loadEta = Effect.tryPromise({
  catch: (cause) =>
    new TemplatesInvalid({
      problems: [
        problem(
          undefined,
          `the package eta cannot be loaded: ${Thrown.messageOf(cause)}. Install it with npm install eta`
        )
      ]
    }),
  try: async () => {
    const { Eta } = await import("eta/core")
    // With `debug` the code of a template notes its line. `autoTrim` would remove line breaks behind values,
    // which end statements in a script.
    return new Eta({ autoTrim: false, debug: true })
  }
})

type Eta = Effect.Success<typeof loadEta>

const readAll = (eta: Eta, sources: ReadonlyArray<Source>): Effect.Effect<All, TemplatesInvalid> =>
  Effect.gen(function* () {
    const all = new Map<string, Loaded>()
    for (const source of sources.toReversed()) {
      const files = yield* Effect.mapError(
        source.read,
        (reason) => new TemplatesInvalid({ problems: [problem(undefined, reason)] })
      )
      for (const { name, text } of files) {
        all.set(
          name,
          typeof text === "string"
            ? { made: Compile.compile(eta, name, text), text }
            : {
                made: problem(name, `${text.refused} (in ${source.description})`),
                text: undefined
              }
        )
      }
    }
    return all
  })

/** Returns what is wrong with a template that is listed. */
const listedProblems = (
  all: All,
  { data, name }: AnyTemplate,
  where: string
): ReadonlyArray<TemplateError> => {
  const made = all.get(name)?.made
  if (made === undefined) {
    return [
      problem(
        name,
        `it is listed in the templates of the plugin, and does not exist in ${where}. Write the file ${name}.eta, or correct the name`
      )
    ]
  }
  const fields = Mentions.fieldsOf(data)
  if (made instanceof TemplateError || fields === undefined) return []
  return made.fields
    .filter((field) => !fields.has(field.name))
    .map((field) =>
      problem(
        name,
        `it reads it.${field.name}, and the schema of its data has no such field. Correct the name, or add the field to the schema`,
        field.line
      )
    )
}

/** Returns what is wrong with templates, in the order of their names. */
const problemsOf = (
  all: All,
  { sources, templates = [] }: Pick<Options, "sources" | "templates">
): ReadonlyArray<TemplateError> => {
  const where = sources.map(({ description }) => description).join(" or ")
  const faults = [...all.values()].flatMap(({ made }) =>
    made instanceof TemplateError
      ? [made]
      : made.templates
          .filter(({ name }) => !all.has(name))
          .map(({ line, name }) =>
            problem(
              made.name,
              `it names the template ${JSON.stringify(name)}, which does not exist in ${where}. Write its path from there, without the extension`,
              line
            )
          )
  )
  const problems = [...templates.flatMap((one) => listedProblems(all, one, where)), ...faults]
  return [...new Map(problems.map((one) => [one.message, one])).values()].toSorted((a, b) =>
    a.message < b.message ? -1 : 1
  )
}

/** Returns the function that checks data, and leaves out what its schema does not have. */
const checkOf = ({ data }: AnyTemplate): ((value: unknown) => unknown) => {
  const type = OwnKeys.decoding(Schema.toType(data))
  SchemaJITCompiler.enable(type.ast)
  const decode = Schema.decodeUnknownSync(type)
  return (value) => decode(value)
}

/** Creates the service. Fails with all problems of the templates. */
export const make = (options: Options): Effect.Effect<Shape, TemplatesInvalid> =>
  Effect.gen(function* () {
    const { isReloaded, maxSize, sources, templates } = options
    const eta = yield* loadEta
    const versionOf = Effect.map(
      Effect.forEach(sources, ({ version }) => version ?? Effect.succeed("")),
      (versions) => versions.join("\n\n")
    )
    let version = isReloaded ? yield* Effect.orElseSucceed(versionOf, () => "") : ""
    let all = yield* readAll(eta, sources)
    const problems = problemsOf(all, options)
    if (problems.length > 0) return yield* new TemplatesInvalid({ problems })

    const reload = Effect.gen(function* () {
      const now = yield* versionOf
      if (now === version) return
      all = yield* readAll(eta, sources)
      version = now
    }).pipe(
      Effect.mapError((reason) =>
        typeof reason === "string" ? problem(undefined, reason) : reason.problems[0]!
      )
    )

    const rules: Rules = {
      find: (name) => all.get(name)?.made,
      maxSize,
      print: Printer.make(eta.config.escapeFunction)
    }
    const checks = new Map(templates?.map((template) => [template, checkOf(template)]))

    const render = (template: AnyTemplate, data: unknown): Effect.Effect<Html, TemplateError> => {
      const { name } = template
      const check =
        checks.get(template) ?? (templates === undefined ? checkOf(template) : undefined)
      if (check === undefined) {
        return Effect.fail(problem(name, "it is not listed. Add it to the templates of the plugin"))
      }
      let checked: unknown
      try {
        checked = check(data)
      } catch (cause) {
        const reason = `its data does not fit its schema: ${Thrown.messageOf(cause)}. Correct the data, or the schema`
        return Effect.fail(new TemplateError({ cause, line: undefined, reason, template: name }))
      }
      const found = all.get(name)?.made
      if (found === undefined) {
        return Effect.fail(problem(name, "its file was removed. Write it again"))
      }
      if (found instanceof TemplateError) return Effect.fail(found)
      try {
        return Effect.succeed(rendered(new Page(checked, rules, 0, undefined).render(found)))
      } catch (error) {
        return error instanceof TemplateError ? Effect.fail(error) : Effect.die(error)
      }
    }
    return {
      render: (template, data) => {
        const page = Effect.suspend(() => render(template, data))
        return isReloaded ? Effect.andThen(reload, page) : page
      },
      textOf: (name) => all.get(name)?.text
    }
  })

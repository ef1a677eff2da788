// The sources of templates in the tests.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Templates from "flange/Templates"
import { type AnyTemplate, make } from "../../../src/Layers/Templates/Make.ts"

/** Creates a source with templates by their names. */
export type Open = (
  templates: Readonly<Record<string, string>>
) => Effect.Effect<Templates.Source, never, Scope.Scope>

/** A directory that is removed with the scope. */
export const temporary: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "flange-templates-"))),
  (path) => Effect.promise(() => rm(path, { force: true, recursive: true }))
)

export const write = (directory: string, name: string, text: string | Uint8Array) =>
  Effect.promise(async () => {
    const path = join(directory, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  })

export const memory: Open = (templates) => Effect.succeed(Templates.memory(templates))

export const directory: Open = (templates) =>
  Effect.gen(function* () {
    const path = yield* temporary
    for (const [name, text] of Object.entries(templates)) {
      yield* write(path, `${name}.eta`, text)
    }
    return Templates.directory(path)
  })

/** Data of any shape. */
export const Any = Schema.Record(Schema.String, Schema.Unknown)

export const page = Templates.make("page", { data: Any })

export const service = (
  sources: ReadonlyArray<Templates.Source>,
  options: {
    readonly isReloaded?: boolean
    readonly maxSize?: number
    readonly templates?: ReadonlyArray<AnyTemplate>
  } = {}
) => make({ isReloaded: false, maxSize: 100_000, sources, templates: [page], ...options })

/** Renders the template `page`. */
export const rendered = (
  open: Open,
  templates: Readonly<Record<string, string>>,
  data: Readonly<Record<string, unknown>> = {}
) =>
  Effect.gen(function* () {
    const { render } = yield* service([yield* open(templates)])
    return (yield* render(page, data)).markup
  }).pipe(Effect.scoped)

/** Returns the message with which the template `page` fails. */
export const failure = (
  open: Open,
  templates: Readonly<Record<string, string>>,
  data: Readonly<Record<string, unknown>> = {}
) => Effect.map(Effect.flip(rendered(open, templates, data)), ({ message }) => message)

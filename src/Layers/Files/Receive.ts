/** Reads a form with files, part by part. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Multipart from "effect/http/Multipart"
import * as Schema from "effect/Schema"
import type * as SchemaIssue from "effect/SchemaIssue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Issue } from "../../Contract/Catalogue.ts"
import type { UploadTooLarge, UploadTypeRefused } from "../../Contract/FileErrors.ts"
import * as OwnKeys from "../../Contract/OwnKeys.ts"
import type { Count, Description, FileKeys, FilePart, Form } from "../../Contract/Upload.ts"
import * as Issues from "../../Server/Exchange/Issues.ts"
import * as MultipartFailure from "../../Server/Exchange/MultipartFailure.ts"
import type { Destination } from "./Destination.ts"
import * as IncomingFile from "./IncomingFile.ts"

type AnyDestination = Destination<unknown, unknown, unknown>

/** A destination for each file of a form. */
export type Destinations<Fields> = { readonly [K in FileKeys<Fields>]: AnyDestination }

type ResultOf<D> = D extends Destination<infer A, infer _E, infer _R> ? A : never

type ErrorOf<D> = D extends Destination<infer _A, infer E, infer _R> ? E : never

type ServicesOf<D> = D extends Destination<infer _A, infer _E, infer R> ? R : never

type Counted<P, A> =
  P extends FilePart<infer C extends Count>
    ? C extends "many"
      ? ReadonlyArray<A>
      : C extends "optional"
        ? A | undefined
        : A
    : never

/** The parts of a form: its decoded fields, and what the destinations have made of its files. */
export type Received<Fields extends Schema.Struct.Fields, D> = Schema.Struct.Type<
  Omit<Fields, FileKeys<Fields>>
> & {
  readonly [K in FileKeys<Fields>]: Counted<Fields[K], K extends keyof D ? ResultOf<D[K]> : never>
}

/** The texts of a form by their names. */
type Texts = Record<string, Array<string> | string>

const issue = (detail: string, name: string): Issue => ({
  detail,
  location: "body",
  pointer: Issues.pointerSegment(name)
})

/** Ends the request with 400. */
const refuse = (detail: string, name: string): Effect.Effect<never> =>
  Effect.die(Issues.invalid([issue(detail, name)]))

/** The errors of a form that cannot be read are those of every endpoint. */
const failureOf =
  ({ maxBytes, maxFieldBytes, maxParts }: Description<Schema.Struct.Fields>) =>
  (error: Multipart.MultipartError): Effect.Effect<never> =>
    Effect.die(
      MultipartFailure.errorOf(
        error.reason,
        { maxFieldSize: maxFieldBytes, maxParts, maxTotalSize: maxBytes },
        { bodyLimit: maxBytes, maxFields: maxParts }
      ) ?? error
    )

/** Returns the decoder of the fields, which come as texts or lists of texts. */
const decoderOf = ({ fields }: Description<Schema.Struct.Fields>) => {
  const codec = Schema.toCodecArrayFromSingle(Schema.toCodecStringTree(fields))
  // Schemas of a contract need no services other than those of the fiber that decodes.
  const decode = OwnKeys.decodeUnknownEffect(
    codec as unknown as Schema.ConstraintDecoder<Readonly<Record<string, unknown>>>,
    { errors: "all" }
  )
  return (texts: Texts) =>
    Effect.mapError(decode(texts), ({ issue }: { readonly issue: SchemaIssue.Issue }) =>
      Issues.fromSchema("Payload", issue)
    )
}

/**
 * Reads a form that `Upload.multipart` describes. Returns its fields, decoded, and what the destination of each
 * file returns.
 *
 * Everything is checked while the form comes, and the first thing that is wrong ends it:
 *
 * - a file above its limit is `UploadTooLarge`, and one of another type `UploadTypeRefused`: declare `uploadErrors`
 * - a form that cannot be read, a part that the form does not have, a missing file, and a field that does not fit its
 *   schema end the request with 400, as other bodies do; too many or too long fields with 413
 *
 * Fields that have come before a file are checked before it is taken.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
 * import * as Schema from "effect/Schema"
 * import { App, Plugin, Route } from "flange"
 * import * as Files from "flange/Files"
 * import { Upload, uploadErrors } from "flange/Files/Contract"
 * import { TestApp } from "flange/Testing"
 *
 * const NoteForm = Upload.multipart({
 *   note: Upload.file({ maxBytes: 1000, types: ["text/plain"] }),
 *   title: Schema.NonEmptyString
 * })
 * class NotesApi extends HttpApiGroup.make("notes").add(
 *   HttpApiEndpoint.post("add", "/notes", {
 *     error: uploadErrors,
 *     payload: NoteForm,
 *     success: Schema.String
 *   })
 * ) {}
 * const Notes = Plugin.make("app:notes", {
 *   routes: [
 *     Route.public(NotesApi, (handlers) =>
 *       handlers.handleAll({
 *         add: Effect.fnUntraced(function* ({ payload }) {
 *           const { note, title } = yield* Files.receive(NoteForm, payload, { note: Files.toMemory })
 *           return `${title}: ${note.bytes.length} bytes`
 *         })
 *       })
 *     )
 *   ]
 * })
 *
 * const test = Effect.gen(function* () {
 *   const { client } = yield* TestApp.make(App.make("notes", [Notes]))
 *   const note = new Blob(["buy a lamp"], { type: "text/plain" })
 *   return yield* client.notes.add({ payload: Upload.formData(NoteForm, { note, title: "May" }) })
 * })
 * await Effect.runPromise(Effect.scoped(test)) // => "May: 10 bytes"
 * ```
 */
export const receive = <Fields extends Schema.Struct.Fields, const D extends Destinations<Fields>>(
  form: Form<Fields>,
  /** The payload of the handler. */
  parts: Stream.Stream<Multipart.Part, Multipart.MultipartError>,
  destinations: D
): Effect.Effect<
  Received<Fields, D>,
  ErrorOf<D[keyof D]> | UploadTooLarge | UploadTypeRefused,
  ServicesOf<D[keyof D]>
> =>
  // The members of the result are those of the form.
  run(
    form["~flange/Form"] as unknown as Description<Schema.Struct.Fields>,
    parts,
    destinations as unknown as Readonly<Record<string, AnyDestination>>
  ) as unknown as ReturnType<typeof receive<Fields, D>>

const run = (
  form: Description<Schema.Struct.Fields>,
  parts: Stream.Stream<Multipart.Part, Multipart.MultipartError>,
  destinations: Readonly<Record<string, AnyDestination>>
) =>
  Effect.gen(function* () {
    const decode = decoderOf(form)
    const known = new Set(Object.keys(form.fields.fields))
    const stored = new Map<string, Array<unknown>>()
    const texts: Texts = Object.create(null)
    let isChecked = false

    const takeText = ({ key, value }: Multipart.Field): Effect.Effect<void> => {
      if (form.files.has(key)) return refuse("Expected a file: the part has no file name", key)
      // As in JSON, a member that the schema does not have is left out.
      if (!known.has(key)) return Effect.void
      const before = texts[key]
      if (before === undefined) texts[key] = value
      else if (typeof before === "string") texts[key] = [before, value]
      else before.push(value)
      return Effect.void
    }

    /** Refuses the fields that have come, if one is wrong. Others may still come. */
    const checkTexts = Effect.suspend(() => {
      if (isChecked) return Effect.void
      isChecked = true
      return Effect.catch(Effect.asVoid(decode(texts)), (issues) => {
        const wrong = issues.filter(({ pointer }) => {
          const name = Issues.segments(pointer)[0]
          return name !== undefined && name in texts
        })
        return wrong.length === 0 ? Effect.void : Effect.die(Issues.invalid(wrong))
      })
    })

    const takeFile = (file: Multipart.File) =>
      Effect.gen(function* () {
        const { contentType, key, name } = file
        const rules = form.files.get(key)
        if (rules === undefined) {
          return yield* refuse(
            known.has(key) ? "Expected a text, and a file was sent" : "The form has no such file",
            key
          )
        }
        const before = stored.get(key) ?? []
        const pointer =
          Issues.pointerSegment(key) +
          (rules.count === "many" ? Issues.pointerSegment(before.length) : "")
        yield* checkTexts
        const scope = yield* Scope.make()
        yield* Effect.gen(function* () {
          const content = Stream.catch(file.content, (error) =>
            Stream.fromEffectDrain(failureOf(form)(error))
          )
          const opened = yield* IncomingFile.open(
            { content, contentType, name, part: key, pointer },
            rules
          ).pipe(Scope.provide(scope))
          if (opened.isNothing) return
          if (before.length === rules.maxFiles) {
            return yield* refuse(
              rules.maxFiles === 1
                ? "Expected one file, and several were sent"
                : `Expected at most ${rules.maxFiles} files`,
              key
            )
          }
          const { drain, isNothing: _, ...incoming } = opened
          const result = yield* destinations[key]!(incoming)
          yield* drain
          stored.set(key, [...before, result])
        }).pipe(Effect.onExit((exit) => Scope.close(scope, exit)))
      })

    yield* Stream.runForEach(
      Stream.catch(parts, (error) => Stream.fromEffectDrain(failureOf(form)(error))),
      (part): Effect.Effect<void, unknown, unknown> =>
        part._tag === "Field" ? takeText(part) : takeFile(part)
    )
    const missing = [...form.files].flatMap(([name, { count }]) =>
      count === "one" && !stored.has(name) ? [issue("Missing file", name)] : []
    )
    const decoded = yield* Effect.exit(decode(texts))
    if (Exit.isFailure(decoded) || missing.length > 0) {
      const wrong = yield* Effect.match(decoded, {
        onFailure: (issues) => issues,
        onSuccess: () => []
      })
      return yield* Effect.die(Issues.invalid([...missing, ...wrong]))
    }
    const files = [...form.files].map(([name, { count }]) => {
      const results = stored.get(name) ?? []
      return [name, count === "many" ? results : results[0]] as const
    })
    return { ...decoded.value, ...Object.fromEntries(files) }
  })

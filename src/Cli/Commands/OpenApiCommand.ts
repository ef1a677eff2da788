/** `flange openapi`. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { CommandError } from "../../Plugin/Cli.ts"
import * as AppFile from "../AppFile.ts"
import { AppFlag } from "../AppFlag.ts"
import * as Flags from "../Flags.ts"
import * as Document from "../OpenApi/Document.ts"
import * as DocumentFile from "../OpenApi/DocumentFile.ts"
import * as Report from "../OpenApi/Report.ts"
import { objectOf } from "../OpenApi/Schemas.ts"
import * as Output from "../Output.ts"

/** Fails if the document breaks clients of that in the file, and its version does not tell them. */
const check = Effect.fnUntraced(function* (document: object, file: string, json: boolean) {
  const before = yield* DocumentFile.read(file)
  // What is in the file went through JSON.
  const report = Report.of(before, objectOf(JSON.parse(JSON.stringify(document))))
  yield* json ? Output.json(report) : Output.lines(Report.lines(report, file))
  const refusal = Report.refusalOf(report)
  if (refusal !== undefined) return yield* new CommandError({ exitCode: 1, reason: refusal })
})

export const command = Command.make(
  "openapi",
  {
    against: Flag.String("against").pipe(
      Flag.withMetavar("FILE"),
      Flag.withDescription(`The file of --check and --write; ${DocumentFile.usual} if absent`),
      Flag.optional
    ),
    check: Flags.boolean(
      "check",
      "Print the differences from the file; exit code 1 if one of them breaks clients and the version does not tell them"
    ),
    json: Flags.boolean("json", "Print the differences as JSON; the document is JSON anyway"),
    out: Flag.String("out").pipe(
      Flag.withAlias("o"),
      Flag.withMetavar("FILE"),
      Flag.withDescription("Write the document to a file instead of stdout"),
      Flag.optional
    ),
    write: Flags.boolean(
      "write",
      "Write the file of --check, with a line for each value, to be committed"
    )
  },
  Effect.fn(function* ({ against, check: checks, json, out, write }) {
    const outputs = [
      checks ? "--check" : "",
      write ? "--write" : "",
      Option.isSome(out) ? "--out" : ""
    ]
    const chosen = outputs.filter((name) => name !== "")
    if (chosen.length > 1) {
      return yield* new CommandError({
        exitCode: 2,
        reason: `${chosen.join(" and ")} are different outputs: write one of them`
      })
    }
    if (Option.isSome(against) && !checks && !write) {
      return yield* new CommandError({
        exitCode: 2,
        reason: "--against names the file of --check and --write: write one of them too"
      })
    }
    const document = yield* Document.of(yield* AppFile.load(yield* AppFlag))
    const file = Option.getOrElse(against, () => DocumentFile.usual)
    if (checks) return yield* check(document, file, json)
    if (write) {
      yield* DocumentFile.write(file, `${JSON.stringify(document, undefined, 2)}\n`)
      return yield* Console.log(`${file} has the document of the app.`)
    }
    const text = JSON.stringify(document)
    return yield* Option.match(out, {
      onNone: () => Console.log(text),
      onSome: (path) => DocumentFile.write(path, text)
    })
  })
).pipe(
  Command.withDescription(
    "Print the OpenAPI document of the app, or compare it with the document of its last release. Nothing is started"
  ),
  Command.withExamples([
    {
      command: "flange openapi --out dist/openapi.json",
      description: "The document, as the app serves it"
    },
    { command: "flange openapi --write", description: `At a release: make ${DocumentFile.usual}` },
    { command: "flange openapi --check", description: "In CI: fail if clients break unannounced" }
  ])
)

/** The file of a document that `flange openapi --check` compares with. */
import { existsSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import * as Effect from "effect/Effect"
import * as WholeFile from "../../Config/WholeFile.ts"
import type { CommandError } from "../../Plugin/Cli.ts"
import { sentenceOf, unusable } from "../Failure.ts"
import { type Json, objectOf } from "./Schemas.ts"

/** The usual file, in the working directory. */
export const usual = "openapi.json"

/** Reads a document. Fails with `CommandError` if there is none, or if the file is not one. */
export const read = (file: string): Effect.Effect<Json, CommandError> =>
  Effect.gen(function* () {
    if (!existsSync(file)) {
      return yield* unusable(
        `There is no ${resolve(file)}. Make it and commit it: flange openapi --write${file === usual ? "" : ` --against ${file}`}`
      )
    }
    const value = yield* Effect.try({
      catch: (cause) =>
        unusable(
          `${file} is not JSON: ${sentenceOf(cause)}. Restore it, or make it again: flange openapi --write`,
          cause
        ),
      try: (): unknown => JSON.parse(readFileSync(file, "utf8"))
    })
    const document = objectOf(value)
    const { openapi } = document
    if (typeof openapi !== "string" || typeof document["paths"] !== "object") {
      return yield* unusable(
        `${file} is not an OpenAPI document: it has no \`openapi\` and \`paths\`. Write one that flange openapi printed`
      )
    }
    return /^3\.[1-9]/.test(openapi)
      ? document
      : yield* unusable(
          `${file} is an OpenAPI document of version ${openapi}, and flange compares those of version 3.1. Make it again: flange openapi --write`
        )
  })

/** Writes a text. */
export const write = (file: string, text: string): Effect.Effect<void, CommandError> =>
  Effect.try({
    catch: (cause) => unusable(`${file} cannot be written: ${sentenceOf(cause)}`, cause),
    try: () => WholeFile.write(file, text)
  })

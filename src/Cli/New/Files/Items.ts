/** The sample of the templates `api` and `full`: items with a name and a description. */
import * as Result from "effect/Result"
import * as Crud from "../../Generate/Crud.ts"
import * as Fields from "../../Generate/Fields.ts"
import type { Files, Project } from "../Project.ts"

export const files = ({ auth, db }: Project): Files =>
  Crud.files({
    access: auth === "none" ? "public" : "protected",
    fields: Result.getOrThrow(Fields.parse("name:string, description:text?")),
    migration: "0001",
    name: "items",
    root: "src",
    store: db === "none" ? "memory" : "database",
    tests: "test"
  })

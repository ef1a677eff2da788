/** The OpenAPI document of an app, as the battery serves it and `flange openapi` prints it. */
import type { AppRuntimeShape } from "../../Plugin/AppRuntime.ts"
import type * as Documented from "../../Plugin/Documented.ts"
import * as Document from "./Document.ts"

/** The parts of an app that its document depends on. */
export interface Parts extends Pick<AppRuntimeShape, "api" | "description" | "name" | "version"> {
  /** The changes that plugins contribute with `Documented.make`, in plugin order. */
  readonly changes: ReadonlyArray<Documented.Change>
  /** `server.strictQuery` of the configuration. */
  readonly strictQuery: boolean
}

/** Returns the document of an app. */
export const make = ({ api, changes, description, name, strictQuery, version }: Parts): object =>
  Document.fromApi(changes.reduce((api, change) => change(api), api)).finish({
    // A reader looks for the app's own groups first.
    last: new Set(
      description.plugins
        .filter(({ id }) => id.startsWith("flange:"))
        .flatMap(({ contributions }) =>
          contributions.flatMap(({ kind, name }) => (kind === "route" ? [name] : []))
        )
    ),
    name,
    strictQuery,
    version
  })

/** The projects of the built-in templates, one for each combination of answers. */
import { Template } from "flange/Cli"

/** As long as a name can be: no line of a file may become too long for the formatter. */
export const longName = "a-service-with-a-long-name-that-has-as-many-letters-as-possible"

/** The projects, by the names of their folders. */
export const projects: ReadonlyMap<string, Template.Files> = new Map([
  ["minimal", Template.files({ flange: "0.1.0", name: longName, template: "minimal" })],
  ...(["api", "full"] as const).flatMap((template) =>
    (["api-key", "jwt", "none"] as const).flatMap((auth) =>
      (["mysql", "none", "pglite", "postgres"] as const).map((db): [string, Template.Files] => [
        `${template}-${auth}-${db}`,
        Template.files({
          auth,
          db,
          flange: "0.1.0",
          name: template === "full" ? longName : "shop",
          template
        })
      ])
    )
  )
])

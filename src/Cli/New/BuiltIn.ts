/** The built-in templates, with their questions. */
import { defaults, type Project } from "./Project.ts"
import * as Template from "./Template.ts"

const service = (template: "api" | "full", description: string): Template.Template =>
  Template.make({
    description,
    files: ({ answers, ...project }) => Template.files({ ...project, ...answers, template }),
    questions: {
      auth: Template.choice({
        choices: {
          "api-key": "a key in X-Api-Key",
          jwt: "a token in Authorization: Bearer",
          none: "everybody may call it"
        },
        default: defaults[template].auth,
        message: "How do callers authenticate?"
      }),
      db: Template.choice({
        choices: {
          mysql: "MySQL or MariaDB; PGlite on this machine and in tests",
          none: "no database: the sample keeps its items in memory",
          pglite: "PostgreSQL inside the process",
          postgres: "PostgreSQL; PGlite on this machine and in tests"
        },
        default: defaults[template].db,
        message: "Which database?"
      })
    }
  })

/** The built-in templates, by their names; the first one is the default. */
export const templates: Readonly<Record<Project["template"], Template.Template>> = {
  api: service("api", "endpoints on a database, behind authentication"),
  full: service("full", "api with the batteries of the edge and files for its deployment"),
  minimal: Template.make({
    description: "one public endpoint",
    files: (project) => Template.files({ ...project, template: "minimal" }),
    questions: {
      auth: Template.choice({ choices: { none: "" }, default: "none", message: "" }),
      db: Template.choice({ choices: { none: "" }, default: "none", message: "" })
    }
  })
}

/** `flange.toml` of a new project. */
import type { Files, Project } from "../Project.ts"

/** The secrets of the environment `local`, by the way in which callers authenticate. */
export const secrets = {
  "api-key": { key: "apiKey", value: "key-of-this-machine", variable: "API_KEY" },
  jwt: {
    key: "jwtSecret",
    value: "secret-of-this-machine-never-use-it-elsewhere",
    variable: "JWT_SECRET"
  }
} as const

const local = ({ auth }: Project): string => {
  if (auth === "none") return ""
  const { key, value, variable } = secrets[auth]
  return `
# The secret of the environment local, which is the one without FLANGE_ENV. Whoever reads this file
# has it. Every other environment needs ${variable}, or the start fails and says so.
[environments.local.auth]
${key} = "${value}"
`
}

const production = `
[environments.production.cors]
# The origins whose pages may call, such as "https://shop.example.com".
origins = []

[environments.production.rateLimit]
# The requests of each caller in a minute. Each instance counts for itself.
limit = 600
window = "1m"
`

export const files = (project: Project): Files => ({
  "flange.toml": `# What differs from the defaults. All keys: node_modules/flange/docs/config-keys.md
# A variable overrides a key: FLANGE__SERVER__PORT=3000, or PORT=3000 for short.

[app]
version = "0.1.0"

[environments.local.server]
host = "127.0.0.1"
${local(project)}${project.template === "full" ? production : ""}`
})

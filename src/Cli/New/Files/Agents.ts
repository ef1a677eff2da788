/** `AGENTS.md` of a new project. */
import type { Files, Project } from "../Project.ts"
import * as Markdown from "./Markdown.ts"

const layout = ({ auth, db, template }: Project): string =>
  Markdown.table(
    ["path", "what is in it"],
    [
      ["`flange.toml`", "the configuration of each environment"],
      ["`routes.lock`", "who may call each route, written by `npm run routes -- --write`"],
      ["`src/app.ts`", "the app: a list of plugins"],
      ...(auth === "none" ? [] : [["`src/auth`", "how callers authenticate"] as const]),
      ...(template === "minimal"
        ? [["`src/hello`", "the sample: contract, plugin"] as const]
        : [["`src/items`", "the sample: schemas, contract, repository, plugin"] as const]),
      ["`src/main.ts`", "`App.run(app)` and nothing else"],
      ...(db === "none"
        ? []
        : [["`src/migrations`", "the tables; never edit a file that was applied"] as const]),
      ["`test`", "a file for each folder of `src`"]
    ]
  )

export const files = (project: Project): Files => ({
  "AGENTS.md": `# For agents that work on ${project.name}

This service is made with Flange, on Effect 4. Before you write code, read:

- \`node_modules/flange/AGENTS.md\`: the rules for a service made with Flange
- \`node_modules/flange/docs\`: the guides and the recipes, each with a program that works
- \`node_modules/flange/examples\`: whole services
- \`node_modules/effect/AGENTS.md\`: Effect itself; do not rely on what you remember of Effect 3

## Layout

${layout(project)}
A feature is a folder of \`src\`, one line in \`src/app.ts\`, and a file in \`test\`. This command writes all
of it: \`npx flange generate endpoint orders --crud --fields 'customer:string, total:int'\`.

## Commands

${Markdown.table(
  ["after a change of", "run"],
  [
    ["a route", "`npm run routes -- --write`; commit `routes.lock`"],
    ["anything, at the end", "`npm run fix`, `npm run check`, `npm run lint`, `npm test`"]
  ]
)}
\`npm run check\` finds what the compiler cannot see: an Effect that never runs because its \`yield*\` was
forgotten.
`
})

/** `README.md` of a new project. */
import type { Files, Project } from "../Project.ts"
import { secrets } from "./Configuration.ts"
import * as Markdown from "./Markdown.ts"

const url = "http://localhost:8080"

const credentials = {
  "api-key": ` -H 'x-api-key: ${secrets["api-key"].value}'`,
  jwt: ` -H "authorization: Bearer $TOKEN"`,
  none: ""
}

const requests = ({ auth, template }: Project): string => {
  if (template === "minimal") return `curl ${url}/v1/hello/Ada`
  const header = credentials[auth]
  const body = ` -H 'content-type: application/json' -d '{"name":"Lamp"}'`
  return [
    ...(auth === "jwt" ? ["TOKEN=$(npm run -s token -- alice)"] : []),
    `curl -i ${url}/v1/items${header}${body}`,
    `curl '${url}/v1/items?limit=10'${header}`
  ].join("\n")
}

const stores = {
  mysql: `The items are in \`.flange/data\`, in a PostgreSQL that runs inside the process. With \`DATABASE_URL\`, such
as \`mysql://user:password@host/name\`, they are in that database. Every environment but \`local\` and
\`test\` needs it. Write SQL that both databases understand: the tests run on PGlite, and CI applies
the migrations to MySQL.
`,
  none: `The items are in memory: each process has its own, and they are gone after a restart.
`,
  pglite: `The items are in \`.flange/data\`, in a PostgreSQL that runs inside the process. With \`DATABASE_URL\`, such
as \`postgres://user:password@host/name\`, they are in that database. Every environment but \`local\` and
\`test\` needs it.
`,
  postgres: `The items are in \`.flange/data\`, in a PostgreSQL that runs inside the process. With \`DATABASE_URL\`, such
as \`postgres://user:password@host/name\`, they are in that database. Every environment but \`local\` and
\`test\` needs it. CI applies the migrations to PostgreSQL.
`
}

const authentication = ({ auth }: Project): string => {
  if (auth === "none") return ""
  const { variable } = secrets[auth]
  return `
Only callers with a ${auth === "jwt" ? "token" : "key"} may call \`/v1/items\`. The secret of this machine is in \`flange.toml\`. Every
other environment needs the variable \`${variable}\`.
`
}

const commands = ({ auth }: Project): string =>
  Markdown.table(
    ["command", "what it does"],
    [
      ["`npm run build`", "bundles the service into `dist`"],
      ["`npm run check`", "checks the types, and that no Effect is forgotten"],
      ["`npm run dev`", "runs the service, and again after each change"],
      ["`npm run fix`", "repairs and formats the sources"],
      ["`npm run lint`", "checks the sources and their format"],
      ["`npm run routes`", "lists who may call each route; `-- --write` writes `routes.lock`"],
      ["`npm start`", "runs the service"],
      ["`npm test`", "runs the tests"],
      ...(auth === "jwt"
        ? [["`npm run -s token -- alice`", "prints a token of alice for this machine"] as const]
        : []),
      ["`npx flange --help`", "lists more commands, such as `generate`, `doctor` and `config`"]
    ]
  )

const deployment = ({ auth, db, name }: Project): string => `
## Deployment

\`deploy/Dockerfile\` builds an image, and \`deploy/k8s\` runs it in Kubernetes. Each line that matters says
what it prevents. Set the secrets once, and change the host in \`ingress.yaml\`:

\`\`\`sh
docker build -f deploy/Dockerfile -t registry.example.com/${name}:0.1.0 .
kubectl create secret generic ${name} --from-env-file=FILE
kubectl apply -f deploy/k8s
\`\`\`
${needed(auth, db)}`

const needed = (auth: Project["auth"], db: Project["db"]): string => {
  const variables = [
    ...(db === "none" ? [] : ["DATABASE_URL"]),
    ...(auth === "none" ? [] : [secrets[auth].variable])
  ].map((variable) => `\`${variable}\``)
  return variables.length === 0 ? "" : `\nThe file has ${variables.join(" and ")}.\n`
}

export const files = (project: Project): Files => ({
  "README.md": `# ${project.name}

\`\`\`sh
npm install && npm start
npm install && npm test
\`\`\`

The first line runs the service on <${url}>, and the second runs the tests. Both need npm and
Node 20 or newer, and nothing else: npm brings Node 24 into \`node_modules\`, and the scripts run on it.
With an older Node, npm prints warnings about \`engines\`, which do not matter.

## Try it

\`\`\`sh
${requests(project)}
\`\`\`

The documentation of the API is at <${url}/docs>. Ctrl-C stops the service: requests in
flight finish first.
${project.template === "minimal" ? "" : `\n${stores[project.db]}`}${authentication(project)}
## Commands

${commands(project)}
The editor shows what \`npm run check\` finds once its rules are in the compiler: run
\`npx effect-tsgo patch --typescript --no-oxlint\` after each \`npm install\`. For VS Code, the settings are
in \`.vscode\`.

Guides are in \`node_modules/flange/docs\`, rules for agents in [AGENTS.md](AGENTS.md).
Traces and logs go to a collector of OpenTelemetry if its address is in the variable
\`OTEL_EXPORTER_OTLP_ENDPOINT\`, such as \`http://localhost:4318\`: \`observability.md\` has the rest.
${project.template === "full" ? deployment(project) : ""}`
})

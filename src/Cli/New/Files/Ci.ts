/** The workflow that checks each change of a new project. */
import type { Files, Project } from "../Project.ts"

const services = {
  mysql: {
    image: "mysql:8.4",
    options: `--health-cmd "mysqladmin ping -h 127.0.0.1" --health-interval 5s --health-retries 20`,
    port: 3306,
    url: "mysql://root:test@127.0.0.1:3306/test",
    variables: "MYSQL_DATABASE: test\n          MYSQL_ROOT_PASSWORD: test"
  },
  postgres: {
    image: "postgres:17",
    options: "--health-cmd pg_isready --health-interval 5s --health-retries 20",
    port: 5432,
    url: "postgres://postgres:test@127.0.0.1:5432/test",
    variables: "POSTGRES_DB: test\n          POSTGRES_PASSWORD: test"
  }
}

const isServer = (db: Project["db"]): db is keyof typeof services => db in services

const service = (db: Project["db"]): string => {
  if (!isServer(db)) return ""
  const { image, options, port, variables } = services[db]
  return `    services:
      database:
        env:
          ${variables}
        image: ${image}
        options: ${options}
        ports: ["${port}:${port}"]
`
}

const migrations = (db: Project["db"]): string =>
  isServer(db)
    ? `      # The tests run on PGlite. This applies the migrations to the database of production.
      - run: npx flange migrate run
        env:
          DATABASE_URL: ${services[db].url}
`
    : ""

export const files = ({ db }: Project): Files => ({
  ".github/workflows/ci.yml": `name: CI

on:
  pull_request:
  push:
    branches: [main]

permissions:
  contents: read

jobs:
  check:
    runs-on: ubuntu-latest
    timeout-minutes: 15
${service(db)}    steps:
      - uses: actions/checkout@v6
        with:
          persist-credentials: false
      - uses: actions/setup-node@v6
        with:
          cache: npm
          node-version: 24
      - run: npm ci
      - run: npm run check
      - run: npm run lint
      - run: npm test
      - run: npm run routes -- --check
      - run: npm run build
${migrations(db)}`
})

// Opens a PGlite database, sends one query, prints what that took as JSON, and ends.
// VARIANT: `pglite` for PGlite alone, or `flange`. DIRECTORY: the data, in memory if it is not set.
const directory = process.env["DIRECTORY"]

const seconds = () => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1e6
}

const now = () => ({ cpu: seconds(), wall: performance.now() / 1000 })

/** Loads the modules, and returns what opens the database and sends the query. */
const prepare = async (): Promise<() => Promise<unknown>> => {
  if (process.env["VARIANT"] === "pglite") {
    const { PGlite } = await import("@electric-sql/pglite")
    return async () => (await PGlite.create(directory)).query("select 1 as one")
  }
  const [Effect, { SqlClient }, { App }, Database, { TestApp }] = await Promise.all([
    import("effect/Effect"),
    import("effect/sql/SqlClient"),
    import("flange"),
    import("flange/Database"),
    import("flange/Testing")
  ])
  const url = directory === undefined ? "pglite://memory" : `pglite://${directory}`
  const app = App.make("bench", [Database.plugin])
  return () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.flatMap(TestApp.make(app, { config: { database: { url } } }), (booted) =>
          booted.run(SqlClient.use((sql) => sql`select 1 as one`))
        )
      )
    )
}

const open = await prepare()
const loaded = now()
await open()
const opened = now()
process.stdout.write(
  JSON.stringify({
    "CPU of the process": opened.cpu,
    "CPU of the start": opened.cpu - loaded.cpu,
    "peak MiB": process.resourceUsage().maxRSS / 1024,
    "time of the process": opened.wall,
    "time of the start": opened.wall - loaded.wall
  })
)
process.exit()

import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as Config from "../../src/Config/index.ts"

export const ServerConfig = Config.section(
  "server",
  {
    cors: Schema.optionalKey(Schema.Boolean),
    drainTimeout: Config.Duration.pipe(Config.withDefault("5 seconds")),
    host: Schema.String.pipe(Config.withDefault("127.0.0.1")),
    hosts: Schema.optionalKey(Schema.Array(Schema.String)),
    limit: Schema.optionalKey(Config.ByteSize),
    port: Config.Port
  },
  { variables: { HOST: "host", PORT: "port" } }
)

export const DatabaseConfig = Config.section(
  "database",
  {
    pool: Schema.optionalKey(
      Schema.Struct({
        max: Schema.optionalKey(Schema.Int),
        min: Schema.optionalKey(Schema.Int)
      })
    ),
    url: Config.Secret
  },
  { variables: { DATABASE_URL: "url" } }
)

/** A real directory with the given files, removed with the scope of the test. */
export const directoryWith = Effect.fnUntraced(function* (files: Readonly<Record<string, string>>) {
  const fileSystem = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const directory = yield* fileSystem.makeTempDirectoryScoped()
  for (const [name, content] of Object.entries(files)) {
    yield* fileSystem.writeFileString(path.join(directory, name), content)
  }
  return directory
})

/** The value of a row of the explanation, with its source. */
export const row = <R>(resolved: Config.Resolved<R>, key: string): string => {
  const entry = Config.explain(resolved).find((one) => one.key === key)
  return entry === undefined ? "absent" : `${entry.value} from ${entry.source}`
}

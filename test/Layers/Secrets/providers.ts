// The providers that the suite runs on, each with a way to change and to break what it reads.
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { SecretsConfig, type SecretsShape } from "flange/Secrets"
import { TestSecrets } from "flange/Secrets/Testing"
import { variableOf } from "../../../src/Layers/Secrets/EnvironmentProvider.ts"
import * as Make from "../../../src/Layers/Secrets/Make.ts"
import type { Settings } from "../../../src/Layers/Secrets/SecretsConfig.ts"
import { Secrets } from "../../../src/Plugin/Secrets.ts"
import { awsServer } from "./awsServer.ts"

/** A provider with two secrets, which a test changes. */
export interface Rig {
  /** Lets reads fail, or ends that; undefined if reads cannot fail. */
  readonly breakReads: ((isBroken: boolean) => Effect.Effect<void>) | undefined
  /** Removes a secret; undefined if secrets do not change. */
  readonly remove: ((name: string) => Effect.Effect<void>) | undefined
  readonly secrets: SecretsShape
  /** Creates or replaces a secret; undefined if secrets do not change. */
  readonly set: ((name: string, text: string) => Effect.Effect<void>) | undefined
  /** How long a value may be used before it is read again. */
  readonly ttl: number
}

export interface Backend {
  /** Words of the error about a secret that does not exist. */
  readonly missing: RegExp
  readonly name: string
  readonly open: (
    values: Readonly<Record<string, string>>
  ) => Effect.Effect<Rig, unknown, Scope.Scope>
}

export const settings = (values: object): Settings =>
  Schema.decodeUnknownSync(Schema.toCodecJson(SecretsConfig.schema))(values) as Settings // what the section decodes to

/** Creates a directory that is removed with the scope. */
export const directory = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "flange-secrets-"))),
  (path) => Effect.promise(() => rm(path, { force: true, recursive: true }))
)

const unchanging = { breakReads: undefined, remove: undefined, set: undefined, ttl: 0 }

const environment: Backend = {
  missing: /in the environment: set the variable NO_SUCH\./,
  name: "environment",
  open: (values) => {
    const variables = Object.fromEntries(
      Object.entries(values).map(([name, text]) => [variableOf(name), text])
    )
    return Make.make(settings({ providers: ["environment"] })).pipe(
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnvRecord(variables)),
      Effect.map((secrets) => ({ ...unchanging, secrets }))
    )
  }
}

const files: Backend = {
  missing: /in the files of .*: write it to the file .*no-such\./,
  name: "files",
  open: (values) =>
    Effect.gen(function* () {
      const path = yield* directory
      const set = (name: string, text: string) =>
        Effect.promise(() => writeFile(join(path, name), `${text}\n`))
      for (const [name, text] of Object.entries(values)) yield* set(name, text)
      return {
        breakReads: (isBroken) =>
          Effect.promise(async () => {
            for (const name of Object.keys(values)) {
              await rm(join(path, name), { force: true, recursive: true })
              if (isBroken) await mkdir(join(path, name))
              else await writeFile(join(path, name), `${values[name]}\n`)
            }
          }),
        remove: (name) => Effect.promise(() => rm(join(path, name))),
        secrets: yield* Make.make(settings({ directory: path, providers: ["files"] })),
        set,
        ttl: 1000
      }
    })
}

/** Files as Kubernetes mounts them: links into a folder that a link replaces whole. */
const kubernetes: Backend = {
  missing: files.missing,
  name: "files of Kubernetes",
  open: (values) =>
    Effect.gen(function* () {
      const path = yield* directory
      let current = { ...values }
      let version = 0
      const publish = (next: Readonly<Record<string, string>>) =>
        Effect.promise(async () => {
          const folder = `..v${++version}`
          await mkdir(join(path, folder))
          for (const [name, text] of Object.entries(next)) {
            await writeFile(join(path, folder, name), text)
            await symlink(join("..data", name), join(path, name)).catch(() => {})
          }
          await symlink(folder, join(path, "..data_tmp"))
          await rename(join(path, "..data_tmp"), join(path, "..data"))
          current = { ...next }
        })
      yield* publish(values)
      return {
        breakReads: undefined,
        remove: (name) => {
          const { [name]: _, ...rest } = current
          return publish(rest)
        },
        secrets: yield* Make.make(settings({ directory: path, providers: ["files"] })),
        set: (name, text) => publish({ ...current, [name]: text }),
        ttl: 1000
      }
    })
}

const aws: Backend = {
  missing: /in AWS Secrets Manager: create it: aws secretsmanager create-secret --name no-such\./,
  name: "AWS Secrets Manager",
  open: (values) =>
    Effect.gen(function* () {
      const server = yield* awsServer(values)
      return {
        breakReads: (isBroken) =>
          Effect.sync(() => {
            server.isBroken = isBroken
          }),
        remove: (name) => Effect.sync(() => server.values.delete(name)),
        secrets: yield* Make.make(
          settings({
            endpoint: server.url,
            providers: ["aws"],
            region: "eu-west-1",
            ttl: "1 minute"
          })
        ),
        set: (name, text) => Effect.sync(() => server.values.set(name, text)),
        ttl: 60_000
      }
    })
}

const memory: Backend = {
  missing: /in the memory of the test: give it to TestSecrets/,
  name: "memory",
  open: (values) =>
    Effect.gen(function* () {
      const kept = TestSecrets.make(values)
      const context = yield* Layer.build(TestSecrets.layer(kept))
      return {
        breakReads: undefined,
        remove: (name) => Effect.sync(() => kept.remove(name)),
        secrets: yield* Effect.provideContext(Secrets, context),
        set: (name, text) => Effect.sync(() => kept.set(name, text)),
        ttl: 0
      }
    })
}

const chain: Backend = {
  missing:
    /in the files of .*, nor in the environment: write it to the file .*no-such, or set the variable NO_SUCH\./,
  name: "chain",
  open: (values) =>
    Effect.gen(function* () {
      const path = yield* directory
      const set = (name: string, text: string) =>
        Effect.promise(() => writeFile(join(path, name), text))
      for (const [name, text] of Object.entries(values)) yield* set(name, text)
      const secrets = yield* Effect.provideService(
        Make.make(settings({ directory: path })),
        ConfigProvider.ConfigProvider,
        ConfigProvider.fromEnvRecord({})
      )
      return {
        ...unchanging,
        remove: (name) => Effect.promise(() => rm(join(path, name))),
        secrets,
        set,
        ttl: 1000
      }
    })
}

export const backends: ReadonlyArray<Backend> = [aws, chain, environment, files, kubernetes, memory]

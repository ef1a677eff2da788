/** Small servers for DynamoDB, S3 and Secrets Manager, for development and tests. */
import { once } from "node:events"
import { createServer, type Server } from "node:http"
import { createRequire } from "node:module"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import { buildApp } from "fauxqs"

/** dynalite has no types. */
const dynalite = createRequire(import.meta.url)("dynalite") as (options: {
  readonly createTableMs: number
}) => Server

const bucket = "shop-invoices"

/** A server that runs does not keep the process alive. */
const listen = async (server: Server): Promise<string> => {
  server.listen(0, "127.0.0.1").unref()
  await once(server, "listening")
  return urlOf(server)
}

const urlOf = (server: Server): string =>
  `http://127.0.0.1:${(server.address() as AddressInfo).port}`

/** Answers `GetSecretValue`, which is all that the app asks of Secrets Manager. */
const secretsManager = (secrets: ReadonlyMap<string, string>): Server =>
  createServer((request, response) => {
    void text(request).then((body) => {
      const { SecretId } = JSON.parse(body) as { readonly SecretId: string }
      const found = secrets.get(SecretId)
      response.writeHead(found === undefined ? 400 : 200, {
        "content-type": "application/x-amz-json-1.1"
      })
      response.end(
        JSON.stringify(
          found === undefined
            ? { __type: "ResourceNotFoundException" }
            : { Name: SecretId, SecretString: found }
        )
      )
    })
  })

/** The servers, and the variables with which the app finds them. */
export interface Local {
  readonly close: () => Promise<void>
  /** The secrets by name. A change of the map is a rotation. */
  readonly secrets: Map<string, string>
  readonly variables: Readonly<Record<string, string>>
}

/** Starts the servers, with a key for each customer of `flange.toml` and an empty bucket. */
export const start = async (): Promise<Local> => {
  const secrets = new Map(
    ["acme", "globex"].map((customer) => [`orders/keys/${customer}`, `local-key-of-${customer}`])
  )
  const [tables, keys, objects] = [
    dynalite({ createTableMs: 0 }),
    secretsManager(secrets),
    buildApp({ logger: false })
  ]
  const [dynamoDb, secretsUrl] = [await listen(tables), await listen(keys)]
  await objects.listen({ host: "127.0.0.1", port: 0 })
  objects.server.unref()
  const s3 = urlOf(objects.server)
  await fetch(`${s3}/${bucket}`, { method: "PUT" })
  return {
    close: async () => {
      for (const server of [tables, keys]) {
        server.closeAllConnections()
        server.close()
      }
      await objects.close()
    },
    secrets,
    variables: {
      AWS_ACCESS_KEY_ID: "local",
      AWS_REGION: "eu-central-1",
      AWS_SECRET_ACCESS_KEY: "local",
      DYNAMODB_ENDPOINT: dynamoDb,
      FLANGE__SECRETS__ENDPOINT: secretsUrl,
      OBJECT_STORE_ENDPOINT: s3
    }
  }
}

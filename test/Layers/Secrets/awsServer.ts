// The wire of AWS Secrets Manager: JSON 1.1 by POST, the operation in a header.
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import * as Effect from "effect/Effect"

/** A server whose secrets a test changes. */
export interface AwsServer {
  /** Lets the server answer 400 with this error in place of a secret. */
  error: { readonly __type: string; readonly Message: string } | undefined
  /** Lets the server answer 400 with an error of permissions. */
  isBroken: boolean
  /** The names that were asked for. */
  readonly requests: Array<string>
  readonly url: string
  readonly values: Map<string, string>
  /** Waits before each reply. */
  wait: Promise<void>
}

const denied = {
  Message:
    "User: arn:aws:iam::1:user/shop is not authorized to perform: secretsmanager:GetSecretValue",
  __type: "AccessDeniedException"
}

export const awsServer = (values: Readonly<Record<string, string>>) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const state: { -readonly [Key in keyof AwsServer]: AwsServer[Key] } = {
        error: undefined,
        isBroken: false,
        requests: [],
        url: "",
        values: new Map(Object.entries(values)),
        wait: Promise.resolve()
      }
      const server = createServer((request, response) => {
        void (async () => {
          const body = JSON.parse(await text(request)) as { readonly SecretId: string }
          const send = (status: number, value: object) => {
            response.writeHead(status, { "content-type": "application/x-amz-json-1.1" })
            response.end(JSON.stringify(value))
          }
          if (request.headers["x-amz-target"] !== "secretsmanager.GetSecretValue") {
            return send(400, { __type: "UnknownOperationException", Message: "" })
          }
          state.requests.push(body.SecretId)
          await state.wait
          if (state.isBroken) return send(400, denied)
          if (state.error !== undefined) return send(400, state.error)
          const value = state.values.get(body.SecretId)
          return value === undefined
            ? send(400, {
                __type: "ResourceNotFoundException",
                Message: "Secrets Manager can't find the specified secret."
              })
            : send(200, { Name: body.SecretId, SecretString: value, VersionStages: ["AWSCURRENT"] })
        })()
      })
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      process.env["AWS_ACCESS_KEY_ID"] ??= "test"
      process.env["AWS_SECRET_ACCESS_KEY"] ??= "test"
      return Object.assign(state, { server }) as AwsServer & { readonly server: typeof server }
    }),
    ({ server }) =>
      Effect.promise(
        () =>
          new Promise<void>((resolve) => {
            server.close(() => resolve())
            server.closeAllConnections()
          })
      )
  )

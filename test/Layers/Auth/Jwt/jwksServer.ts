// A key set on a real socket, which can be put into every state that one is found in.
import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import * as Effect from "effect/Effect"
import * as tokens from "./tokens.ts"

export interface Signer {
  readonly kid: string
  readonly pair: tokens.Pair
}

export interface JwksServer {
  /** Answers in the place of the set. */
  answer: ((response: ServerResponse) => void) | undefined
  readonly close: Effect.Effect<void>
  /** How many requests came. */
  requests: number
  signers: ReadonlyArray<Signer>
  readonly url: string
}

export const signer = (kid: string): Signer => ({ kid, pair: tokens.ec() })

export const tokenOf = ({ kid, pair }: Signer, over: object = {}): string =>
  tokens.signed(tokens.claims(over), pair, { alg: "ES256", kid })

export const document = (signers: ReadonlyArray<Signer>, more: object = {}): string =>
  JSON.stringify({
    keys: signers.map(({ kid, pair }) =>
      tokens.jwk(pair.publicKey, { alg: "ES256", kid, use: "sig" })
    ),
    ...more
  })

export const make = (...signers: ReadonlyArray<Signer>) =>
  Effect.acquireRelease(
    Effect.promise(
      () =>
        new Promise<JwksServer>((resolve) => {
          const server = createServer((_request, response) => {
            state.requests++
            if (state.answer !== undefined) return state.answer(response)
            response.setHeader("content-type", "application/json")
            response.end(document(state.signers))
          })
          const close = Effect.promise(
            () =>
              new Promise<void>((done) => {
                server.close(() => done())
                server.closeAllConnections()
              })
          )
          const state: JwksServer = { answer: undefined, close, requests: 0, signers, url: "" }
          server.listen(0, "127.0.0.1", () => {
            const { port } = server.address() as AddressInfo
            resolve(Object.assign(state, { url: `http://127.0.0.1:${port}/jwks.json` }))
          })
        })
    ),
    ({ close }) => close
  )

/** Listens with the server of the runtime. */

type Handler = (request: Request) => Promise<Response> | Response

interface Runtimes {
  readonly Bun?: {
    readonly serve: (options: { fetch: Handler; hostname: string; port: number }) => unknown
  }
  readonly Deno?: {
    readonly serve: (
      options: { hostname: string; onListen: () => void; port: number },
      handler: Handler
    ) => unknown
  }
}

export const serve = (handler: Handler, hostname: string, port: number): void => {
  // Their types would be those of every script here.
  const { Bun, Deno } = globalThis as Runtimes
  if (Bun !== undefined) Bun.serve({ fetch: handler, hostname, port })
  else Deno!.serve({ hostname, onListen: () => {}, port }, handler)
}

/** What is measured beside what. */

export interface Peer {
  /** Arguments beside tier and port. */
  readonly arguments: ReadonlyArray<string>
  readonly name: string
  /** Whether a run may go on without it: what this tree does not have yet. */
  readonly optional: boolean
  /** In `servers/`, without `.ts`. */
  readonly script: string
  /** For tables and charts. */
  readonly title: string
}

const peer = (
  name: string,
  title: string,
  options: Partial<Pick<Peer, "arguments" | "optional" | "script">> = {}
): Peer => ({ arguments: [], name, optional: false, script: name, title, ...options })

/** What every ratio is taken to. */
export const base = "fastify"

export const peers: ReadonlyArray<Peer> = [
  peer("raw", "node:http"),
  peer("fastify", "Fastify"),
  peer("hono", "Hono"),
  peer("express", "Express"),
  peer("nest", "NestJS on Fastify"),
  peer("httpapi", "Effect HttpApi"),
  peer("flange", "Flange"),
  peer("flange-proxied", "Flange, proxied", {
    arguments: ["--listener", "proxied"],
    optional: true,
    script: "flange"
  })
]

/** The peers with these names, the base among them; all where no name is given. */
export const select = (names: ReadonlyArray<string> | undefined): ReadonlyArray<Peer> => {
  for (const name of names ?? []) {
    if (!peers.some((peer) => peer.name === name)) {
      throw new Error(`--peers ${name}: write ${peers.map((peer) => peer.name).join(", ")}`)
    }
  }
  return peers.filter(({ name }) => names === undefined || name === base || names.includes(name))
}

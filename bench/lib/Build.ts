/** Peers as plain JavaScript, so that no start pays for the removal of types. */
import { spawnSync } from "node:child_process"
import { rmSync } from "node:fs"
import { resolve } from "node:path"
import { build, type Plugin } from "esbuild"
import type { Peer } from "./Peers.ts"

const root = resolve(import.meta.dirname, "..")
const cache = resolve(root, ".cache/coldstart")
const dist = resolve(root, ".cache/dist")

const shared = {
  bundle: true,
  format: "esm",
  logLevel: "silent",
  platform: "node",
  target: "node24"
} as const

const entry = (peer: Peer) => resolve(root, "servers", `${peer.script}.ts`)

/** Flange as it is published: one file of JavaScript for each of its sources. */
const compileFlange = () => {
  rmSync(dist, { force: true, recursive: true })
  const parameters = ["-p", resolve(root, "../tsconfig.build.json"), "--outDir", dist]
  const { error } = spawnSync(resolve(root, "../node_modules/.bin/tsc"), parameters)
  // What does not type-check is still written; that it runs, the measurement shows.
  if (error !== undefined) throw error
}

let compiled = false

const publishedFlange: Plugin = {
  name: "published-flange",
  setup: (build) => {
    build.onResolve({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
      if (!compiled) compileFlange()
      compiled = true
      const file = path.replace(/^.*\/src\//, "").replace(/\.ts$/, ".js")
      return { external: true, path: resolve(dist, file) }
    })
  }
}

/** The program in one file, its dependencies where npm put them. */
export const installed = async (peer: Peer): Promise<string> => {
  const outfile = resolve(cache, `${peer.name}.installed.js`)
  await build({
    ...shared,
    entryPoints: [entry(peer)],
    outfile,
    packages: "external",
    plugins: [publishedFlange]
  })
  return outfile
}

/** What `require` of bundled CommonJS modules needs in a module. */
const banner =
  'import { createRequire as __createRequire } from "node:module"; import { fileURLToPath as __fileURLToPath } from "node:url"; import { dirname as __pathDirname } from "node:path"; const require = __createRequire(import.meta.url); const __filename = __fileURLToPath(import.meta.url); const __dirname = __pathDirname(__filename);'

/** Everything in one file. Modules that the program loads on demand run on demand in it too. */
export const bundled = async (peer: Peer): Promise<string> => {
  const outfile = resolve(cache, `${peer.name}.bundled.js`)
  await build({
    ...shared,
    banner: { js: banner },
    entryPoints: [entry(peer)],
    // What Nest loads only if it is there.
    external: ["@nestjs/microservices", "@nestjs/websockets", "@fastify/static", "@fastify/view"],
    minifySyntax: true,
    outfile
  })
  return outfile
}

/** Peers as plain JavaScript, so that no start pays for the removal of types. */
import { spawnSync } from "node:child_process"
import { resolve } from "node:path"
import { build } from "esbuild"
import * as Package from "./Package.ts"
import type { Peer } from "./Peers.ts"

const root = resolve(import.meta.dirname, "..")
const cache = resolve(root, ".cache/coldstart")

const shared = {
  bundle: true,
  format: "esm",
  logLevel: "silent",
  platform: "node",
  target: "node24"
} as const

const entry = (peer: Peer) => resolve(root, "servers", `${peer.script}.ts`)

/** The program in one file, its dependencies and Flange where npm put them. */
export const installed = async (peer: Peer): Promise<string> => {
  Package.build()
  const outfile = resolve(cache, `${peer.name}.installed.js`)
  await build({
    ...shared,
    entryPoints: [entry(peer)],
    outfile,
    packages: "external"
  })
  return outfile
}

/** What `require` of bundled CommonJS modules needs in a module. */
const banner =
  'import { createRequire as __createRequire } from "node:module"; import { fileURLToPath as __fileURLToPath } from "node:url"; import { dirname as __pathDirname } from "node:path"; const require = __createRequire(import.meta.url); const __filename = __fileURLToPath(import.meta.url); const __dirname = __pathDirname(__filename);'

/**
 * Everything in one file: Flange by `flange build`, the others by esbuild. Modules that the program
 * loads on demand run on demand in it too.
 */
export const bundled = async (peer: Peer): Promise<string> => {
  if (peer.script === "flange") return builtByFlange(peer)
  const outfile = resolve(cache, `${peer.name}.bundled.js`)
  await build({
    ...shared,
    banner: { js: banner },
    entryPoints: [entry(peer)],
    // What Nest loads only if it is there.
    external: ["@nestjs/microservices", "@nestjs/websockets", "@fastify/static", "@fastify/view"],
    minifySyntax: true,
    minifyWhitespace: true,
    outfile
  })
  return outfile
}

const builtByFlange = (peer: Peer): string => {
  Package.build()
  const outfile = resolve(cache, `${peer.name}.bundled.mjs`)
  const parameters = [Package.command, "build", entry(peer), "--out", outfile]
  const { error, status, stderr } = spawnSync(process.execPath, parameters, { encoding: "utf8" })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`flange build failed: ${stderr}`)
  return outfile
}

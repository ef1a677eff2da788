/** The plugins of `esbuild` with which an app is bundled. */
import { isBuiltin } from "node:module"
import type { Plugin } from "esbuild"
import * as Manifest from "../Manifest.ts"
import { absenceOf, nameOf } from "./Packages.ts"

/** The optional packages of Flange. */
const { peerDependencies } = Manifest.read()

/** Those that an app may use only while it is developed. They are large, and loaded on demand. */
const onDemand: ReadonlySet<string> = new Set(["@electric-sql/pglite", "esbuild"])

/** Whether a package is copied only if the app's `package.json` or the command names it. */
export const isOnDemand = (name: string): boolean => onDemand.has(name)

/**
 * Loads `node:http` as CommonJS. An ES import reads every export of the module, and reading
 * `WebSocket` loads Node's own HTTP client.
 */
export const http: Plugin = {
  name: "flange-http",
  setup: (build) => {
    build.onResolve({ filter: /^(?:node:)?https?$/ }, ({ kind, path }) =>
      kind === "require-call" ? undefined : { namespace: http.name, path }
    )
    build.onLoad({ filter: /.*/, namespace: http.name }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)})`,
      loader: "js"
    }))
  }
}

/**
 * Leaves packages out of the bundle: those that are copied, and optional ones that are not
 * installed. The latter are loaded when they are used.
 */
export const packages = ({
  copied,
  onAbsent
}: {
  /** The folders of the packages that are copied, by their names. */
  readonly copied: ReadonlyMap<string, string>
  readonly onAbsent: (name: string, importer: string) => void
}): Plugin => ({
  name: "flange-packages",
  setup: (build) => {
    const lazy = (path: string) => ({ namespace: "flange-lazy", path })
    build.onResolve(
      { filter: /^[@\w]/ },
      async ({ importer, kind, path, pluginData, resolveDir }) => {
        if (pluginData === packages || kind === "entry-point" || isBuiltin(path)) return undefined
        const name = nameOf(path)
        if (isOnDemand(name) && kind !== "require-call") {
          onAbsent(name, importer)
          return lazy(path)
        }
        const found = await build.resolve(path, {
          importer,
          kind,
          pluginData: packages,
          resolveDir
        })
        if (found.errors.length > 0) {
          if (name in peerDependencies) return lazy(path)
          const absence = absenceOf(importer, name)
          if (absence === "needed") return undefined
          if (absence === "peer") onAbsent(name, importer)
          return lazy(path)
        }
        const folder = copied.get(name)
        return folder !== undefined && found.path.startsWith(folder)
          ? { external: true, path }
          : undefined
      }
    )
    // CommonJS is evaluated when it is first used; an import would be hoisted.
    build.onLoad({ filter: /.*/, namespace: "flange-lazy" }, ({ path }) => ({
      contents: `const name = ${JSON.stringify(path)}; module.exports = require(name)`,
      loader: "js"
    }))
  }
})

/**
 * Loads native code from its position in the bundle. `onNative` returns the position, or undefined
 * if the package of the file is copied.
 */
export const native = (onNative: (file: string) => string | undefined): Plugin => ({
  name: "flange-native",
  setup: (build) => {
    build.onLoad({ filter: /\.node$/, namespace: "file" }, ({ path }) => {
      const position = onNative(path)
      return {
        contents:
          position === undefined
            ? ""
            : `const { filename } = require(${JSON.stringify(`flange-at:${position}`)}); module.exports = require(filename)`,
        loader: "js"
      }
    })
  }
})

/** Returns a path as a part of a URL. */
export const encoded = (path: string): string => path.split("/").map(encodeURIComponent).join("/")

/** Replaces the modules that use their position, and declares the positions. */
export const positions = (codes: ReadonlyMap<string, string>): Plugin => ({
  name: "flange-positions",
  setup: (build) => {
    build.onResolve({ filter: /^flange-at:/ }, ({ path }) => ({
      namespace: "flange-at",
      path: path.slice("flange-at:".length),
      sideEffects: false
    }))
    // All outputs with code are in the folder of the bundle, so the path is the same in each.
    build.onLoad({ filter: /.*/, namespace: "flange-at" }, ({ path }) => ({
      contents: `
        import { createRequire } from "node:module"
        import { dirname as dirnameOf } from "node:path"
        import { fileURLToPath } from "node:url"
        export const url = /* @__PURE__ */ new URL(${JSON.stringify(`./${encoded(path)}`)}, import.meta.url).href
        export const filename = /* @__PURE__ */ fileURLToPath(url)
        export const dirname = /* @__PURE__ */ dirnameOf(filename)
        export const requireResolve = (name, options) => createRequire(url).resolve(name, options)
        export const resolve = (name) =>
          /^\\.{0,2}\\//.test(name) ? new URL(name, url).href : import.meta.resolve(name)`,
      loader: "js"
    }))
    build.onLoad({ filter: /\.[cm]?[jt]sx?$/, namespace: "file" }, ({ path }) => {
      const contents = codes.get(path)
      return contents === undefined ? undefined : { contents, loader: "js" }
    })
  }
})

/** Declares where the bundle has the migrations that an app finds in its working directory. */
export const migrations = (position: string): Plugin => ({
  name: "flange-migrations",
  setup: (build) => {
    build.onResolve({ filter: /^flange-migrations$/ }, ({ path }) => ({
      namespace: "flange-migrations",
      path,
      sideEffects: false
    }))
    build.onLoad({ filter: /.*/, namespace: "flange-migrations" }, () => ({
      contents: `export const FLANGE_MIGRATIONS = /* @__PURE__ */ new URL(${JSON.stringify(`./${encoded(position)}/`)}, import.meta.url)`,
      loader: "js"
    }))
  }
})

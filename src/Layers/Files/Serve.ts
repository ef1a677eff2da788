/** Static files of a directory, as plain routes. */
import { realpath, stat } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type * as Authentication from "../../Contract/Authentication.ts"
import { RouteNotFound } from "../../Contract/Catalogue.ts"
import { CurrentExchange, type Exchange } from "../../Server/Exchange/Exchange.ts"
import { elements } from "../../Server/Exchange/Semantics.ts"
import * as Route from "../../Server/Route/Route.ts"
import type { Access } from "../../Server/Route/Slots.ts"
import * as CacheControl from "./CacheControl.ts"
import * as Codings from "./Codings.ts"
import { KeptFiles } from "./KeptFiles.ts"
import * as MediaType from "./MediaType.ts"
import * as OpenedFile from "./OpenedFile.ts"
import * as RequestPath from "./RequestPath.ts"
import { send } from "./Send.ts"

/** The directory of static files does not exist, or is none. */
export class FilesDirectoryError extends Data.TaggedError("FilesDirectoryError")<{
  readonly directory: string
  readonly reason: string
}> {
  override get message(): string {
    return `The directory ${JSON.stringify(this.directory)} of static files cannot be used: ${this.reason}. Build the files first, or write new URL("./public", import.meta.url) for a folder beside the module.`
  }
}

/** Which files are served, and how. */
export interface FilesOptions<A extends Access["type"], Chain extends string> {
  /** Who may read the files: `bare`, `public`, `optional` or `protected`. */
  readonly access: A
  /** The chain of `protected` or `optional` files. */
  readonly chain?: A extends "optional" | "protected" ? Chain : never
  /** The directory. `flange build` takes a `new URL("./public", import.meta.url)` along. */
  readonly directory: string | URL
  /**
   * The page that answers the paths of a single-page application, such as `index.html`: those that a browser
   * opens, and that no file has. A missing script or picture is 404 all the same. The default is none.
   */
  readonly fallback?: string | undefined
  /**
   * The files whose content never changes, by their paths below the directory, such as `/^assets\//`. The default
   * are names with a digest of 8 or more hexadecimal digits.
   */
  readonly immutable?: RegExp | undefined
  /** The file that answers the path of a folder; `false` for none. The default is `index.html`. */
  readonly index?: false | string | undefined
  /** How long clients use other files than pages without asking. The default is not at all. */
  readonly maxAge?: Duration.Input | undefined
  /** Whether `app.js.br`, `.zst` and `.gz` are sent in the place of `app.js`. The default is true. */
  readonly precompressed?: boolean | undefined
  /** Media types by the endings of names without the dot, before those that Flange knows. */
  readonly types?: MediaType.Types | undefined
}

type Settings = Omit<FilesOptions<Access["type"], string>, "chain">

const checkPath = (path: string): void => {
  if (!/^\/(?:[\w.~-]+(?:\/[\w.~-]+)*)?$/.test(path)) {
    throw new TypeError(
      `The path ${JSON.stringify(path)} of static files is refused. Write "/" or a path without a slash at its end, such as "/assets".`
    )
  }
}

const rootOf = (directory: string | URL) =>
  Effect.tryPromise({
    catch: (error) =>
      new FilesDirectoryError({ directory: String(directory), reason: String(error) }),
    try: async () => {
      const root = await realpath(directory instanceof URL ? fileURLToPath(directory) : directory)
      if (!(await stat(root)).isDirectory()) throw new Error("it is no directory")
      return root
    }
  })

/** Whether a browser opens a page: it accepts HTML by its name. */
const isNavigation = (exchange: Exchange): boolean =>
  elements(exchange.header("accept") ?? "").some(
    (element) =>
      /^text\/html\s*(?:;|$)/.test(element) && !/;\s*q=0(?:\.0*)?\s*(?:;|$)/.test(element)
  )

const notFound = new RouteNotFound()

const varying = HttpEffect.appendPreResponseHandler((_, response) =>
  Effect.succeed(HttpServerResponse.setHeader(response, "vary", "Accept"))
)

const handlerOf = (settings: Settings, root: string) => {
  const { fallback, index = "index.html", precompressed = true, types = {} } = settings
  const kept = new KeptFiles<OpenedFile.OpenedFile>()
  const cacheControl = CacheControl.make({
    immutable: settings.immutable,
    isShared: settings.access === "public" || settings.access === "bare",
    maxAge: settings.maxAge
  })

  /** Opens the precompressed form that the client likes best, unless it is older than the file. */
  const variant = (
    file: OpenedFile.OpenedFile,
    segments: ReadonlyArray<string>,
    header: string | undefined
  ) =>
    Effect.gen(function* () {
      for (const coding of Codings.accepted(header)) {
        const found = yield* OpenedFile.openBeside(
          root,
          [...segments.slice(0, -1), segments.at(-1)! + coding.ending],
          kept
        )
        if (found === undefined || found === "folder") continue
        if (found.modified >= file.modified) return { coding: coding.name, file: found }
        yield* OpenedFile.close(found)
      }
      return undefined
    })

  const reply = (
    original: OpenedFile.OpenedFile,
    segments: ReadonlyArray<string>,
    exchange: Exchange,
    vary: ReadonlyArray<string>
  ) =>
    Effect.gen(function* () {
      const contentType = MediaType.of(segments.at(-1)!, types)
      const isCoded = precompressed && MediaType.isCompressible(contentType)
      const found = isCoded
        ? yield* variant(original, segments, exchange.header("accept-encoding"))
        : undefined
      if (found !== undefined) yield* OpenedFile.close(original)
      const file = found?.file ?? original
      const names = isCoded ? [...vary, "Accept-Encoding"] : vary
      const { lastModified, size } = file
      return yield* send((name) => exchange.header(name), exchange.method, {
        contentType,
        etag: OpenedFile.etagOf(file, found?.coding),
        headers: {
          "cache-control": cacheControl(segments.join("/")),
          ...(found === undefined ? {} : { "content-encoding": found.coding }),
          ...(names.length === 0 ? {} : { vary: names.join(", ") }),
          "x-content-type-options": "nosniff"
        },
        isPartial: true,
        lastModified,
        read: (part) => {
          if (exchange.method === "HEAD") return Effect.succeed(Stream.empty)
          const from = part?.from ?? 0
          const length = part === undefined ? size : part.to - from + 1
          return length > OpenedFile.small
            ? Effect.succeed(OpenedFile.stream(file, from, length))
            : Effect.tap(OpenedFile.bytes(file, from, length, kept), () => OpenedFile.close(file))
        },
        size
      })
    })

  const redirect = (target: string) => {
    const path = target.split("?", 1)[0]!
    const location = `${path}/${target.slice(path.length)}`
    return HttpServerResponse.empty({
      headers: { "cache-control": "no-cache", location },
      status: 308
    })
  }

  /** Answers a path that no file has. */
  const missing = (segments: ReadonlyArray<string>, exchange: Exchange) =>
    Effect.gen(function* () {
      const name = segments.at(-1) ?? ""
      if (fallback === undefined || MediaType.isFileName(name, types)) return yield* notFound
      if (!isNavigation(exchange)) {
        // A cache that keeps this must not send it to a browser.
        yield* varying
        return yield* notFound
      }
      const page = fallback.split("/")
      const found = yield* OpenedFile.open(root, page, kept)
      if (found === undefined || found === "folder") return yield* notFound
      return yield* reply(found, page, exchange, ["Accept"])
    })

  return Effect.gen(function* () {
    const exchange = yield* CurrentExchange
    const { params, target } = exchange
    const path = RequestPath.parse(params["*"] ?? "", target)
    if (path === undefined) return yield* notFound
    const { segments } = path
    const isFolder = target.split("?", 1)[0]!.endsWith("/")
    const found = yield* OpenedFile.open(root, segments, kept)
    if (found !== undefined && found !== "folder") {
      return yield* isFolder ? missing(segments, exchange) : reply(found, segments, exchange, [])
    }
    if (found === undefined || index === false) return yield* missing(segments, exchange)
    const page = [...segments, index]
    const opened = yield* OpenedFile.open(root, page, kept)
    if (opened === undefined || opened === "folder") return yield* missing(segments, exchange)
    return isFolder ? yield* reply(opened, page, exchange, []) : redirect(target)
  })
}

const layerOf = (
  path: string,
  settings: Settings
): Layer.Layer<never, FilesDirectoryError, HttpRouter.HttpRouter> =>
  HttpRouter.use(
    Effect.fnUntraced(function* (router) {
      const root = yield* rootOf(settings.directory)
      // A request that is served has an exchange, which answers its failure.
      const handler = handlerOf(
        settings,
        root
      ) as unknown as Effect.Effect<HttpServerResponse.HttpServerResponse>
      yield* router.add("GET", path === "/" ? "/*" : `${path as "/"}/*`, handler)
    })
  )

/**
 * Serves the files of a directory below a path, as a route of a plugin. The most specific route wins, so files at
 * `/` leave the routes of the app as they are.
 *
 * - Files have `ETag`, `Last-Modified` and `Cache-Control`. Conditional requests and one range are answered; several
 *   ranges get the whole file.
 * - No path leads out of the directory. Names that begin with a dot are 404, except in `.well-known`. A symbolic
 *   link is followed if its end is in the directory. Folders are never listed.
 * - Long files are streams, which are as fast as their client. If a file is written while it is sent, the connection
 *   is cut: replace files by renaming.
 *
 * Fails with `FilesDirectoryError` at boot if there is no such directory.
 *
 * @example
 * ```ts
 * import { mkdtemp, writeFile } from "node:fs/promises"
 * import { tmpdir } from "node:os"
 * import { join } from "node:path"
 * import * as Effect from "effect/Effect"
 * import { App, Plugin } from "flange"
 * import * as Files from "flange/Files"
 * import { TestApp } from "flange/Testing"
 *
 * const directory = await mkdtemp(join(tmpdir(), "public-"))
 * await writeFile(join(directory, "hello.txt"), "Hello")
 *
 * const Assets = Plugin.make("shop:assets", {
 *   routes: [Files.serve("/assets", { access: "public", directory })]
 * })
 * const test = Effect.gen(function* () {
 *   const shop = yield* TestApp.make(App.make("shop", [Assets]))
 *   const reply = yield* shop.get("/assets/hello.txt")
 *   return [reply.text, reply.headers.get("content-type")]
 * })
 * await Effect.runPromise(Effect.scoped(test)) // => ["Hello", "text/plain; charset=utf-8"]
 * ```
 */
export const serve = <
  const A extends Access["type"],
  const Chain extends string = Authentication.DefaultChain
>(
  path: `/${string}`,
  options: FilesOptions<A, Chain>
) => {
  checkPath(path)
  return Route.raw(`files:${path}`, layerOf(path, options), options)
}

/** `flange dev` as a process, for its tests. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, assert } from "vitest"
import { environment, node } from "./project.ts"

const root = join(import.meta.dirname, "../..")

/** A running `flange dev`. */
export interface Dev {
  readonly child: ChildProcess
  /** What it and the app have written so far. */
  readonly output: () => string
  /** Sends a request to the app. */
  readonly request: (path: string, init?: RequestInit) => Promise<Response>
  /** Returns the body of a reply. */
  readonly text: (path: string) => Promise<string>
}

/** Waits until a condition holds. */
export const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20))
}

const running: Array<ChildProcess> = []
afterEach(() =>
  Promise.all(
    running.splice(0).map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill("SIGTERM")
      await once(child, "exit")
    })
  )
)

/** The processes that a process has started. */
export const childrenOf = (pid: number): ReadonlyArray<number> =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "utf8")
        return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === pid
      } catch {
        return false // it has ended meanwhile
      }
    })
    .map(Number)

/** Whether a process runs. */
export const isRunning = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))
  } catch {
    return false
  }
}

/** Starts `flange dev` in a folder, on a free port if `env` has none. */
export const dev = (
  folder: string,
  args: ReadonlyArray<string> = ["--no-types"],
  env: Readonly<Record<string, string>> = {}
): Dev => {
  const child = spawn(
    node,
    ["--conditions=flange-source", join(root, "src/Cli/main.ts"), "dev", ...args],
    {
      cwd: folder,
      env: { ...environment, HOST: "127.0.0.1", PORT: "0", ...env }
    }
  )
  running.push(child)
  let output = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => (output += chunk))
  }
  const request = async (path: string, init: RequestInit = {}) => {
    await until(() => env["PORT"] !== undefined || output.includes(" serves on http"))
    const port = env["PORT"] ?? /serves on http:\/\/127\.0\.0\.1:(\d+)/.exec(output)![1]
    return fetch(`http://127.0.0.1:${port}${path}`, init)
  }
  return {
    child,
    output: () => output,
    request,
    text: async (path) => (await request(path)).text()
  }
}

/** Sends requests without a pause until the function that it returns is called, which counts them. */
export const load = ({ request }: Dev, path: string) => {
  const failed: Array<string> = []
  const over = new AbortController()
  let sent = 0
  const one = async () => {
    while (!over.signal.aborted) {
      sent++
      try {
        const reply = await request(path)
        if (reply.status !== 200) failed.push(`${reply.status} ${await reply.text()}`)
        else await reply.text()
      } catch (error) {
        failed.push(String((error as Error).cause ?? error))
      }
    }
  }
  const all = Promise.all([one(), one(), one()])
  return async () => {
    over.abort()
    await all
    assert.deepStrictEqual(failed, [])
    return sent
  }
}

/** An app whose reply is a word of its own module. */
export const files = {
  ".env": "",
  "src/app.ts": `
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { App, Plugin, Preset, Route } from "flange"
import { word } from "./word.ts"

class WordApi extends HttpApiGroup.make("word").add(
  HttpApiEndpoint.get("read", "/word", { success: Schema.String }),
  HttpApiEndpoint.get("slow", "/slow", { success: Schema.String }),
  HttpApiEndpoint.get("crash", "/crash", { success: Schema.String })
) {}

const WordPlugin = Plugin.make("app:word", {
  routes: [
    Route.public(WordApi, (handlers) =>
      handlers.handleAll({
        crash: () => Effect.sync(() => {
          setImmediate(() => { throw new Error("out of <words>") })
          return word
        }),
        read: () => Effect.succeed(word),
        slow: () => Effect.delay(Effect.succeed(word), "500 millis")
      })
    )
  ]
})

export const app = App.make("words", [...Preset.api, WordPlugin])
`,
  "src/main.ts": `
import { App } from "flange"
import { app } from "./app.ts"

App.run(app)
`,
  "src/word.ts": `export const word: string = "first"\n`
}

/** The text of \`src/word.ts\` with another word. */
export const saying = (word: string) => ({
  "src/word.ts": `export const word: string = "${word}"\n`
})

/** A real nginx with the configuration of `deploy/nginx`, on free ports. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort, root } from "../examples/process.ts"

const source = join(root, "deploy/nginx")

const binary = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin"]
  .map((folder) => join(folder, "nginx"))
  .find(existsSync)

/** Why there is no nginx here; undefined where there is one. */
export const unavailable =
  binary === undefined ? "nginx is not installed: apt-get install -y nginx-light" : undefined

if (unavailable !== undefined) {
  if (process.env["CI_SERVICES"] === "required") throw new Error(unavailable)
  process.stdout.write(`Skipped: services behind nginx (${unavailable})\n`)
}

/** All files of the configuration, as they are shipped. */
export const files: Readonly<Record<string, string>> = Object.fromEntries(
  readdirSync(source).map((name) => [name, readFileSync(join(source, name), "utf8")])
)

/** The values of a directive that stands once in the configuration. */
export const directive = (name: string, file: string): ReadonlyArray<string> => {
  const found = [...files[file]!.matchAll(new RegExp(`^\\s*${name} ([^;]+);`, "gm"))]
  if (found.length !== 1) throw new Error(`${name} stands ${found.length} times in ${file}`)
  return found[0]![1]!.split(" ")
}

const units: Readonly<Record<string, number>> = {
  "": 1,
  h: 3_600_000,
  k: 1024,
  m: 1024 * 1024,
  s: 1000
}

/** A size of the configuration in bytes, or a time in milliseconds; `m` stands for megabytes only. */
export const amount = (text: string): number => {
  const [, digits, unit] = /^(\d+)([hkms]?)$/.exec(text)!
  return Number(digits) * units[unit!]!
}

/** A line of the configuration, and what stands there instead. */
export type Change = readonly [line: string, instead: string]

const replaceLine = (text: string, [line, instead]: Change): string => {
  if (text.split(line).length !== 2) throw new Error(`"${line}" does not stand there once`)
  return text.replace(line, () => instead)
}

/** Writes the configuration with what depends on the machine, and with changes. */
const render = (
  folder: string,
  port: number,
  servers: ReadonlyArray<string>,
  changes: ReadonlyArray<Change>
) => {
  const temporary = ["client_body", "fastcgi", "proxy", "scgi", "uwsgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join("\n")
  const machine: Record<string, ReadonlyArray<Change>> = {
    "nginx.conf": [
      [
        "worker_processes auto;",
        `worker_processes 1;${process.getuid?.() === 0 ? "user root;" : ""}`
      ],
      ["pid /run/nginx.pid;", `pid ${folder}/nginx.pid;`],
      ["error_log /dev/stderr warn;", `error_log ${folder}/error.log info;`],
      ["access_log /dev/stdout flange;", `access_log ${folder}/access.log flange;\n${temporary}`],
      ["listen 80 default_server;", `listen 127.0.0.1:${port} default_server;`]
    ],
    "upstream.conf": [
      [
        "\n  server 127.0.0.1:8080 max_fails=0;",
        servers.map((server) => `\n  server ${server} max_fails=0;`).join("")
      ]
    ]
  }
  const open = new Set(changes)
  for (const [name, text] of Object.entries(files)) {
    const own = changes.filter((change) => text.includes(change[0]))
    for (const change of own) open.delete(change)
    writeFileSync(join(folder, name), [...(machine[name] ?? []), ...own].reduce(replaceLine, text))
  }
  for (const [line] of open) throw new Error(`"${line}" stands in no file`)
}

/** A running nginx. */
export interface Nginx {
  readonly accessLog: () => ReadonlyArray<Record<string, unknown>>
  readonly port: number
  readonly stop: () => Promise<void>
  readonly url: string
}

const accepts = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = Net.connect(port, "127.0.0.1", () => {
      socket.destroy()
      resolve(true)
    })
    socket.on("error", () => resolve(false))
  })

/** Checks the configuration with `nginx -t`, starts nginx, and waits until it listens. */
export const startNginx = async (
  servers: ReadonlyArray<string>,
  changes: ReadonlyArray<Change> = []
): Promise<Nginx> => {
  const folder = mkdtempSync(join(tmpdir(), "flange-nginx-"))
  const port = await freePort()
  render(folder, port, servers, changes)
  const options = ["-p", folder, "-c", join(folder, "nginx.conf")]
  const test = spawnSync(binary!, [...options, "-t"], { encoding: "utf8" })
  if (test.status !== 0 || /\[warn\]/.test(test.stderr)) throw new Error(test.stderr)
  const child: ChildProcess = spawn(binary!, [...options, "-g", "daemon off;"], {
    stdio: "ignore"
  })
  const exit = once(child, "exit")
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(readFileSync(`${folder}/error.log`, "utf8"))
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return {
    accessLog: () =>
      readFileSync(`${folder}/access.log`, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line)),
    port,
    stop: async () => {
      child.kill("SIGTERM")
      await exit
      rmSync(folder, { force: true, recursive: true })
    },
    url: `http://127.0.0.1:${port}`
  }
}

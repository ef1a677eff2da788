/** What a run says of itself, and where its figures go. */
import { mkdirSync, writeFileSync } from "node:fs"
import { cpus } from "node:os"
import { resolve } from "node:path"
import * as Cores from "./Cores.ts"
import type { Options } from "./Options.ts"

export interface Circumstances {
  readonly client: string
  readonly cpu: string
  /** ISO time of the end. */
  readonly date: string
  readonly node: string
  /** Shares of all cores that others used when nothing of the benchmark ran, in percent. */
  readonly othersPercent: ReadonlyArray<number>
  readonly pinned: boolean
  readonly quick: boolean
  readonly rounds: number
  readonly seconds: number
}

const quiet = 5

/** Watches how much the machine does beside the benchmark. */
export class Noise {
  readonly samples: Array<number> = []

  async sample(): Promise<void> {
    const share = await Cores.others(500)
    if (share !== undefined) this.samples.push(Math.round(share * 1000) / 10)
  }
}

export const circumstances = (
  options: Pick<Options, "quick" | "rounds" | "seconds"> & { readonly client: string },
  noise: Noise
): Circumstances => ({
  client: options.client,
  cpu: cpus()[0]?.model ?? "unknown",
  date: new Date().toISOString(),
  node: process.versions.node,
  othersPercent: noise.samples,
  pinned: Cores.pinned,
  quick: options.quick,
  rounds: options.rounds,
  seconds: options.seconds
})

export const isNoisy = ({ othersPercent }: Circumstances): boolean =>
  othersPercent.some((percent) => percent > quiet)

/** In words. */
export const describe = (of: Circumstances): string =>
  [
    `${of.date}, Node ${of.node}, ${of.cpu}`,
    `client ${of.client}, ${
      of.pinned
        ? "server on core 0, client on core 1"
        : "NOT PINNED to cores: server and client get in each other's way"
    }`,
    `${of.rounds} rounds${of.seconds > 0 ? ` of ${of.seconds} s each` : ""}`,
    of.othersPercent.length === 0
      ? "what else ran on the machine is not known"
      : isNoisy(of)
        ? `NOISY: others used up to ${Math.max(...of.othersPercent)}% of the cores between rounds`
        : `quiet: others used at most ${Math.max(...of.othersPercent)}% of the cores between rounds`
  ].join("\n")

const folder = resolve(import.meta.dirname, "../results")

/** The same for a script that measures no server under load. */
export const describeWithoutLoad = (of: Circumstances): string =>
  describe({ ...of, seconds: 0 })
    .split("\n")
    .filter((line) => !line.startsWith("client "))
    .join("\n")

/** Writes a file into `results/` and says so. */
export const write = (name: string, content: object | string): void => {
  mkdirSync(folder, { recursive: true })
  const text = typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`
  writeFileSync(resolve(folder, name), text)
  console.log(`wrote bench/results/${name}`)
}

/**
 * The name of a script's results. What a quick run, or one of some peers, found does not replace
 * what a whole one did.
 */
export const nameOf = (name: string, { partial, quick }: Options): string => {
  const suffix = partial ? "partial" : quick ? "quick" : ""
  if (suffix === "") return name
  return name === "latest" ? suffix : `${name}.${suffix}`
}

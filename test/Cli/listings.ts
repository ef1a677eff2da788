/** The commands of `docs/command.md`. */
import { readFile } from "node:fs/promises"
import { join } from "node:path"

/** A command of the guide, with the output below it. */
export interface Listing {
  /** Its arguments, with single spaces. */
  readonly args: string
  readonly output: string
}

/** Returns the commands of the guide in its order. */
export const listings = async (): Promise<ReadonlyArray<Listing>> => {
  const guide = await readFile(join(import.meta.dirname, "../../docs/command.md"), "utf8")
  return [...guide.matchAll(/^```console\n([^]*?)^```$/gm)].flatMap(([, fence]) =>
    fence!
      .split(/^\$ npx flange /m)
      .slice(1)
      .map((entry) => {
        const end = entry.indexOf("\n")
        return { args: entry.slice(0, end), output: entry.slice(end + 1) }
      })
  )
}

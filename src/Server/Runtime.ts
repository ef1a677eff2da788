/** What the runtimes beside Node cannot do. */
import type * as Config from "../Config/index.ts"

/** Returns the problems that settings of the section `server` have on the runtime of the process. */
export const issues = ({
  listener,
  workers
}: {
  readonly listener: string
  readonly workers: "auto" | number
}): ReadonlyArray<Config.SectionIssue> => [
  ...(listener === "node" && "Bun" in globalThis
    ? [
        {
          expected: "auto or proxied on Bun",
          key: "listener",
          reason: "the `node:http` of Bun cannot stop without losing requests"
        }
      ]
    : []),
  ...(workers !== 1 && ("Bun" in globalThis || "Deno" in globalThis)
    ? [
        {
          expected: "1 on Bun and Deno",
          key: "workers",
          reason: "only Node hands the connections of one port to several processes of an app"
        }
      ]
    : [])
]

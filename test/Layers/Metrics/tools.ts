/** The readers of metrics outside of Node, and why one is missing. */
import { execFileSync, spawnSync } from "node:child_process"

interface Tool {
  /** Runs it on a text. Throws with its output if it refuses the text. */
  readonly check: (input: string) => void
  /** The reason why it cannot run; undefined if it can. */
  readonly missing: string | undefined
}

const tool = (
  name: string,
  command: string,
  probe: ReadonlyArray<string>,
  args: Array<string>
): Tool => {
  const missing = spawnSync(command, probe).status === 0 ? undefined : `${name} is not installed`
  if (missing !== undefined) console.warn(`Metrics are not checked: ${missing}`)
  return {
    check: (input) => {
      execFileSync(command, args, { input, stdio: ["pipe", "pipe", "inherit"] })
    },
    missing
  }
}

/** The lint of metrics of the Debian package `prometheus`. */
export const promtool = tool(
  "promtool (package prometheus)",
  "promtool",
  ["--version"],
  ["check", "metrics"]
)

const parser = `
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
    for sample in family.samples:
        pass
`

/** The strict OpenMetrics parser of the Debian package `python3-prometheus-client`. */
export const openMetricsParser = tool(
  "the Python module prometheus_client (package python3-prometheus-client)",
  "/usr/bin/python3",
  ["-c", "import prometheus_client.openmetrics.parser"],
  ["-c", parser]
)

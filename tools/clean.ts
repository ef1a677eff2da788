// Removes the generated folders named on the command line.
import { rmSync } from "node:fs"
import { join } from "node:path"

for (const name of process.argv.slice(2)) {
  rmSync(join(import.meta.dirname, "..", name), { force: true, recursive: true })
}

/** Checks of the clock and the time zone. Without a network they find a clock that is far off. */
import { existsSync, statSync } from "node:fs"
import { join } from "node:path"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Doctor from "../../Plugin/Doctor.ts"
import type { Check } from "./Check.ts"

const remedy = "Set the clock, and keep it right with NTP: timedatectl set-ntp true"

/** The files whose times are compared with the clock. */
const written = ["flange.toml", "package.json", "package-lock.json", "tsconfig.json"]

/** The least difference that is more than the rounding of file systems, in milliseconds. */
const tolerance = 60_000

const date = (folder: string): Doctor.Finding => {
  const now = Date.now()
  const year = new Date(now).getUTCFullYear()
  if (year < 2025 || year > 2100) {
    return Doctor.failed(`The clock says that the year is ${year}.`, remedy)
  }
  const later = written
    .map((name) => join(folder, name))
    .find((file) => existsSync(file) && statSync(file).mtimeMs > now + tolerance)
  return later === undefined
    ? Doctor.ok(`The clock says ${new Date(now).toISOString()}.`)
    : Doctor.warning(`${later} was written in the future, so the clock was or is wrong.`, remedy)
}

/** How long the clocks are compared, and the difference that counts, in milliseconds. */
const [span, most] = [200, 50]

const pace = Effect.gen(function* () {
  const difference = () => Date.now() - performance.now()
  const before = difference()
  yield* Effect.sleep(Duration.millis(span))
  const drift = Math.round(difference() - before)
  return Math.abs(drift) <= most
    ? Doctor.ok("The clock runs as fast as time passes.")
    : Doctor.warning(
        `The clock moved by ${drift} ms against the time that passed in ${span} ms: somebody sets it, or the machine was suspended.`,
        remedy
      )
})

const timeZone = (): Doctor.Finding => {
  const zone: string | undefined = Intl.DateTimeFormat().resolvedOptions().timeZone
  return zone === undefined || zone === "Etc/Unknown"
    ? Doctor.warning(
        `The variable TZ is ${JSON.stringify(process.env["TZ"] ?? "")}, which is no time zone: Node uses UTC instead.`,
        "Set TZ=UTC, or a name such as TZ=Europe/Berlin"
      )
    : Doctor.ok(`The time zone is ${zone}. Logs and the sessions of databases are in UTC.`)
}

/** Returns the checks of the clock. */
export const checks = (folder: string): ReadonlyArray<Check> => [
  { name: "clock", run: Effect.sync(() => date(folder)) },
  { name: "clock-pace", run: pace },
  { name: "time-zone", run: Effect.sync(timeZone) }
]

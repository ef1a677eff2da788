/** The app: a list of plugins. `main.ts` runs it, `measure.ts` and the tests boot it. */
import { App, Preset } from "flange"
import { BenchPlugin } from "./bench/BenchPlugin.ts"

export const app = App.make("bench-api", [...Preset.api, BenchPlugin])

/** The app: the plugins of every service of Acme, and those of this one. */
import { App } from "flange"
import { preset } from "./acme/index.ts"
import { HoursPlugin } from "./hours/HoursPlugin.ts"

export const app = App.make("hours", [...preset, HoursPlugin])

// A process that exports what it does. Run by Process.test.ts.
import { App } from "flange"
import { app } from "./lamps.ts"

App.run(app)

/** Starts servers for the services of AWS in this process, and runs the app on them: see main.ts. */
import { start } from "./local/servers.ts"

const { variables } = await start()
Object.assign(process.env, variables)
await import("./main.ts")

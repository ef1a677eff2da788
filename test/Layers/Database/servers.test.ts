import { mysql, onEach, postgres } from "./backends.ts"
import { serverConformance } from "./servers.ts"

onEach([postgres, mysql], "A server", serverConformance)

import { all, onEach } from "./backends.ts"
import { conformance } from "./conformance.ts"

onEach(all, "SqlClient", conformance)

import { local, memory } from "./backends.ts"
import { suite } from "./conformance.ts"

for (const kind of [local, memory]) suite(kind)

import { directory, memory, s3 } from "./backends.ts"
import { suite } from "./conformance.ts"

for (const kind of [directory, memory, s3]) suite(kind)

import { suite } from "./conformance.ts"
import { directory, memory } from "./sources.ts"

suite("memory", memory)
suite("a directory", directory)

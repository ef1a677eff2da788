/** TLS of the listener `node`; its settings are the keys `server.tls`. */

export type { Tls } from "../../../Exchange/Wire.ts"
export { type Pair, selfSigned } from "./SelfSigned.ts"

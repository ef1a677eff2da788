/** Compression of replies: Zstandard, Brotli and gzip, as the client accepts them. */

export { CompressionConfig } from "./CompressionConfig.ts"
export { plugin } from "./CompressionPlugin.ts"

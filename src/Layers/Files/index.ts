/** Static files, downloads and uploads. */

export {
  type Destination,
  type DiskFile,
  type MemoryFile,
  toDisk,
  toMemory,
  toStore
} from "./Destination.ts"
export { download, type DownloadOptions, type Source } from "./Download.ts"
export type { IncomingFile } from "./IncomingFile.ts"
export { type Destinations, receive, type Received } from "./Receive.ts"
export { FilesDirectoryError, type FilesOptions, serve } from "./Serve.ts"

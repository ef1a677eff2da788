/** Static files, downloads and uploads. */

export { download, type DownloadOptions, type Source } from "./Download.ts"
export { FilesDirectoryError, type FilesOptions, serve } from "./Serve.ts"

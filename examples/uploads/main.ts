/**
 * A service that takes files from a page, stores them, lists them and sends them back, whole or in parts. No file is
 * whole in memory. Everybody may use it: a real service has protected routes.
 *
 * Run: npm run example examples/uploads/main.ts
 * Try: open http://localhost:8080 in a browser
 *      curl -F 'file=@README.md;type=text/markdown' localhost:8080/v1/files
 *      curl -F 'file=<html>;filename=a.png' localhost:8080/v1/files          (415: the first bytes decide)
 *      curl localhost:8080/v1/files
 *      curl -r 0-99 localhost:8080/v1/files/<id>                             (the first 100 bytes)
 *      curl -i localhost:8080/app.css -H 'if-none-match: "<the ETag of a reply before>"'
 *
 * Files are kept in memory. To keep them, set the backend:
 *      OBJECT_STORE_BACKEND=directory OBJECT_STORE_DIRECTORY=/tmp/uploads npm run example examples/uploads/main.ts
 *      OBJECT_STORE_BACKEND=s3 OBJECT_STORE_BUCKET=uploads ...               (docs/object-storage.md)
 */
import { App } from "flange"
import { app } from "./app.ts"

App.run(app)

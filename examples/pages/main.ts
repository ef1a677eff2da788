/**
 * Pages of HTML: a layout, a partial, typed data, a page for what does not exist, and a script with a nonce.
 *
 * Run: npm run example examples/pages/main.ts        (port 8080, or PORT=3000 before it)
 *
 * Try: open http://localhost:8080/books in a browser
 *      curl 'localhost:8080/books?title=%3Cscript%3E'     (what was searched for is escaped)
 *      curl -i localhost:8080/books/9                     (404, a page)
 *      change templates/books/list.eta, and load the page again; then write <%= it.boks %> in it
 *
 * Templates are explained in docs/templates.md.
 */
import { App } from "flange"
import { app } from "./app.ts"

App.run(app)

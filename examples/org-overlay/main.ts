/**
 * A service of an organisation. The folder `acme` is what the organisation publishes as a package of
 * its own, such as `@acme/flange`: a preset with authentication and defaults, a command of `flange`, and
 * a template of `flange new`. The rest is a service that uses it.
 *
 * Run: npm run example examples/org-overlay/main.ts        (port 8080, or PORT=3000 before it)
 *
 * Try: curl -i localhost:8080/v1/hours                    (401: every service of Acme authenticates)
 *      TOKEN=$(npx flange token ada --app examples/org-overlay/app.ts)
 *      curl -i localhost:8080/v1/hours -H "authorization: Bearer $TOKEN"
 *      npx flange new shop --template ./examples/org-overlay/acme/template.ts --answer team=sales
 *
 * Node runs TypeScript only outside of node_modules, so a package is published as JavaScript.
 */
import { App } from "flange"
import { app } from "./app.ts"

App.run(app)

/** The page that shows in which line a template has failed. Only the environment `local` has it. */
import * as Effect from "effect/Effect"
import * as Config from "../../Config/index.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"
import * as Failures from "./Failures.ts"
import type { TemplateError } from "./TemplateError.ts"
import { Templates } from "./Templates.ts"

/** The lines around the faulty one. */
const around = 4

const escaped = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)

const listing = (text: string, line: number): string =>
  text
    .split(/\r\n|\n|\r/)
    .map((content, i) => ({ content, number: i + 1 }))
    .slice(Math.max(0, line - 1 - around), line + around)
    .map(({ content, number }) => {
      const row = `${String(number).padStart(5)} ${number === line ? "&gt;" : "|"} ${escaped(content)}`
      return number === line ? `<mark>${row}</mark>` : row
    })
    .join("\n")

/** Returns the page of a failure. `text` is that of the template, if it is known. */
export const page = (error: TemplateError, text: string | undefined): string => {
  const { line, reason, template } = error
  const title = template === undefined ? "Templates" : `Template ${escaped(template)}`
  const at = line === undefined ? "" : `, line ${line}`
  const code = line === undefined || text === undefined ? "" : `<pre>${listing(text, line)}</pre>`
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${title}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 60rem; padding: 0 1rem }
mark { background: #fbd5d5; color: #7a0000 }
pre { background: #f4f4f4; color: #222; overflow: auto; padding: 1rem }
</style>
<h1>${title}${at}</h1>
<p>${escaped(reason)}</p>
${code}
<p>This page is shown in the environment local only. In other environments the reply is a problem document, and the log has the reason.</p>
</html>
`
}

/**
 * Replaces the reply to a request whose template has failed, for a client that takes HTML. The status stays,
 * and so does the line of the log.
 */
export const middleware = Middleware.transform("template-page", {
  build: Effect.gen(function* () {
    const isLocal = (yield* Config.Environment) === "local"
    const { textOf } = yield* Templates
    return () => {
      if (!isLocal) return undefined
      const transform: Middleware.Transform = (request, reply) => {
        const error = Failures.of(request)
        if (error === undefined || reply.status !== 500) return undefined
        const isHtml = request.header("accept")?.includes("text/html") === true
        if (!isHtml || reply.header("content-encoding") !== undefined) return undefined
        return {
          body: new TextEncoder().encode(page(error, textOf(error.template ?? ""))),
          set: ["content-type", "text/html; charset=utf-8"]
        }
      }
      return transform
    }
  })
})

/** The service that renders templates. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Schema from "effect/Schema"
import type { Html } from "./Contract.ts"
import * as Failures from "./Failures.ts"
import type { Template } from "./Template.ts"
import type { TemplateError } from "./TemplateError.ts"

/** Renders templates. `Templates.plugin` provides it. */
export interface Shape {
  /**
   * Renders a template. Fails if the data does not fit its schema, or the template throws. In a handler use
   * `Templates.html`; this is for what is not a reply, such as the text of a message.
   */
  readonly render: <Data extends Schema.Top>(
    template: Template<Data>,
    data: Data["Type"]
  ) => Effect.Effect<Html, TemplateError>
  /** Returns the text of a template as it was read; undefined if there is no template of this name. */
  readonly textOf: (name: string) => string | undefined
}

/** Renders templates with typed data. */
export class Templates extends Context.Service<Templates, Shape>()("flange/Templates/Templates") {}

/**
 * Renders a template for a handler. A template that fails is a defect: the client gets a problem document
 * with status 500 that tells nothing of it, and the log has its name and line.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as Templates from "flange/Templates"
 * import { TestTemplates } from "flange/Templates/Testing"
 *
 * const Greeting = Templates.make("greeting", { data: Schema.Struct({ name: Schema.String }) })
 *
 * const page = Templates.html(Greeting, { name: "<Ada>" }).pipe(
 *   Effect.map(({ markup }) => markup),
 *   Effect.provide(TestTemplates.layer({ greeting: "<p>Hello, <%= it.name %></p>" }))
 * )
 * await Effect.runPromise(page) // => "<p>Hello, &lt;Ada&gt;</p>"
 * ```
 */
export const html = <Data extends Schema.Top>(
  template: Template<Data>,
  data: Data["Type"]
): Effect.Effect<Html, never, Templates> =>
  Templates.use((templates) => templates.render(template, data)).pipe(
    Effect.tapError(Failures.record),
    Effect.orDie
  )

/**
 * Creates a reply with a page, for a route without a contract, or for a status that the contract does not
 * declare, such as a page that says what was not found.
 *
 * @example
 * ```ts
 * import * as Templates from "flange/Templates"
 * import { Html } from "flange/Templates/Contract"
 *
 * const reply = Templates.toResponse(Html.trusted("<h1>Not found</h1>"), { status: 404 })
 * reply.headers["content-type"] // => "text/html; charset=utf-8"
 * ```
 */
export const toResponse = (
  page: Html,
  options: {
    /** More headers, by lower-case name. */
    readonly headers?: Readonly<Record<string, string>> | undefined
    /** The default is 200. */
    readonly status?: number | undefined
  } = {}
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(page.markup, {
    contentType: "text/html; charset=utf-8",
    headers: options.headers ?? {},
    status: options.status ?? 200
  })

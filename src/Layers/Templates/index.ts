/** Pages of HTML: templates with typed data, compiled at start, that escape what they print. */

export { directory } from "./DirectorySource.ts"
export { memory, type Source } from "./Source.ts"
export { make, type Template } from "./Template.ts"
export { TemplateError, TemplatesInvalid } from "./TemplateError.ts"
export { html, type Shape, Templates, toResponse } from "./Templates.ts"
export { TemplatesConfig } from "./TemplatesConfig.ts"
export { plugin } from "./TemplatesPlugin.ts"

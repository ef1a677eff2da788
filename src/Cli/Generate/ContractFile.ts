/** The file of a contract, such as `orders/OrdersApi.ts`. */
import * as String from "effect/String"
import { file, imports, list, listBeforeComma, named, namespace } from "./Code.ts"
import type { Name, Names } from "./Names.ts"

/** Who may call the endpoints of a feature. */
export type Access = "protected" | "public"

/** Returns the class of a contract. */
export const group = (
  { camel, pascal }: Name,
  access: Access,
  endpoints: (indent: number) => ReadonlyArray<string>
): string => {
  const open = `export class ${pascal}Api extends HttpApiGroup.make("${camel}")`
  return access === "public"
    ? `${open}.add(\n  ${endpoints(2).join(",\n  ")}\n) {}`
    : `${open}
  ${list(2, ".add", "(", endpoints(4))}
  // Clients created from the contract know the 401 because of it.
  .middleware(Authentication.Default) {}`
}

/** Returns the text of the file of a feature that is created, read, changed and removed. */
export const text = (names: Names, access: Access, hasOptional: boolean): string => {
  const { plural, singular } = names
  const one = singular.pascal
  const path = `/v1/${plural.kebab}`
  const notFound = `${one}NotFound`
  const endpoints = (indent: number) => {
    const endpoint = (method: string, name: string, end: string, members: ReadonlyArray<string>) =>
      listBeforeComma(
        indent,
        `HttpApiEndpoint.${method}("${name}", "${path}${end}", `,
        "{",
        members,
        ")"
      )
    const changing = [`error: ${notFound}`, "params"]
    return [
      endpoint("post", "create", "", [`payload: ${one}Draft`, `success: Created(${one})`]),
      endpoint("get", "list", "", ["query: Pagination.query", `success: Pagination.Page(${one})`]),
      endpoint("get", "read", "/:id", [...changing, `success: ${one}`]),
      endpoint("delete", "remove", "/:id", [...changing, "success: HttpApiSchema.NoContent"]),
      `// PUT replaces ${the(singular.words)}${hasOptional ? ": an absent optional field is removed" : ""}.\n${" ".repeat(indent)}${endpoint("put", "replace", "/:id", [...changing, `payload: ${one}Draft`, `success: ${one}`])}`,
      `// PATCH changes only the given fields${hasOptional ? ": `null` removes an optional one" : ""}.\n${" ".repeat(indent)}${endpoint("patch", "update", "/:id", [...changing, `payload: ${one}Changes`, `success: ${one}`])}`
    ]
  }
  const contract = [
    "ApiError",
    ...(access === "protected" ? ["Authentication"] : []),
    "Created",
    "Pagination"
  ]
  const error = [
    `code: "${codeOf(names)}"`,
    `detail: ({ id }) => \`${String.capitalize(singular.words)} \${id} does not exist\``,
    "status: 404"
  ]
  return file([
    `/** The contract of the ${plural.words}: no server code, so that a browser can import it. */
${imports([
  namespace("effect/http-api/HttpApiEndpoint"),
  namespace("effect/http-api/HttpApiGroup"),
  namespace("effect/http-api/HttpApiSchema"),
  named(contract, "flange/Contract"),
  named([one, `${one}Changes`, `${one}Draft`, `${one}Id`], `./${one}.ts`)
])}`,
    `export class ${notFound} extends ApiError.make<${notFound}>()(
  "${notFound}",
  ${list(2, "", "{", error, ",")}
  { id: ${one}Id }
) {}`,
    `const params = { id: ${one}Id }`,
    group(plural, access, endpoints)
  ])
}

const the = (words: string): string => `the whole ${words}`

/** Returns the code of the error for an id that does not exist. */
export const codeOf = ({ singular }: Names): string => `${singular.snake.toUpperCase()}_NOT_FOUND`

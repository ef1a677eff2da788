/** Finds parts of contracts that no request can have. */
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpMethod from "effect/http/HttpMethod"
import type * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as RoutePath from "../../Contract/RoutePath.ts"
import type { AssemblyProblem } from "../../Plugin/Errors.ts"
import type * as Plugin from "../../Plugin/Plugin.ts"
import * as EmptyBody from "../Exchange/EmptyBody.ts"
import { named } from "../Route/Claim.ts"
import * as Declared from "../Route/Declared.ts"
import * as MultipartForm from "./MultipartForm.ts"

/** Returns a problem for each part of the plugins' contracts that no request can have. */
export const problems = (plugins: ReadonlyArray<Plugin.Any>): ReadonlyArray<AssemblyProblem> =>
  Declared.of(plugins).flatMap((claim) =>
    reasons(claim.endpoint, claim.path).map((reason): AssemblyProblem => ({
      kind: "ImpossibleRequest",
      message: `No request can satisfy ${named(claim)}: ${reason}`,
      plugins: [claim.plugin]
    }))
  )

const reasons = (endpoint: HttpApiEndpoint.Top, path: string): ReadonlyArray<string> => {
  const { headers, params, payload, query } = endpoint
  const { parts } = RoutePath.parse(path, RoutePath.declaredNames(params))
  const names = new Set(
    parts.map((part) =>
      part === RoutePath.wildcard ? "*" : RoutePath.isParameter(part) && part.name
    )
  )
  const found: Array<string> = []
  if (params !== undefined) {
    found.push(
      ...fields(params.ast, "path parameter", isText, (name, isOptional) =>
        isOptional || names.has(name)
          ? undefined
          : `the path has no "${name}". Write ":${name}" in the path, or leave the parameter out.`
      )
    )
  }
  if (headers !== undefined) found.push(...fields(headers.ast, "header", isText, headerName))
  if (query !== undefined) found.push(...fields(query.ast, "query parameter", isTexts))
  for (const [type, { encoding, schemas }] of payload) {
    for (const schema of schemas) {
      found.push(
        ...(HttpMethod.hasBody(endpoint.method)
          ? payloadReasons(encoding, schema)
          : encoding._tag === "FormUrlEncoded"
            ? fields(schema.ast, "query parameter", isTexts)
            : [
                `${endpoint.method} has no body, so nothing has the type ${type}. Write its fields as \`query\`, or use POST.`
              ])
      )
    }
  }
  return found
}

type Encoding =
  HttpApiEndpoint.Top["payload"] extends ReadonlyMap<string, infer Entry>
    ? Entry extends { readonly encoding: infer Encoding }
      ? Encoding
      : never
    : never

const payloadReasons = (encoding: Encoding, schema: Schema.Top): ReadonlyArray<string> => {
  switch (encoding._tag) {
    case "FormUrlEncoded":
      return fields(schema.ast, "field", isTexts)
    case "Multipart":
      return encoding.mode === "stream"
        ? []
        : fields(MultipartForm.fromTexts(schema).ast, "field", isTexts)
    case "Text":
      return EmptyBody.isNothing(schema.ast) || some(schema.ast, isTextLeaf)
        ? []
        : ["its payload is a text, and the schema takes none. Write a schema that decodes a text."]
    default:
      return []
  }
}

/** The name of a header that a request can have. */
const headerName = (name: string): string | undefined =>
  /^[!#$%&'*+.^_`|~\w-]+$/.test(name)
    ? name === name.toLowerCase()
      ? undefined
      : `names of headers are compared in lower case. Write "${name.toLowerCase()}".`
    : `"${name}" is not a name that HTTP allows. Use letters, digits and "-".`

type Takes = (ast: SchemaAST.AST) => boolean

/** Whether the encoded form of a schema, or a member of its union, passes a test. */
const some = (ast: SchemaAST.AST, takes: Takes, seen = new Set<SchemaAST.AST>()): boolean => {
  if (seen.has(ast)) return false
  seen.add(ast)
  const encoded = SchemaAST.toEncoded(ast)
  if (SchemaAST.isUnion(encoded)) return encoded.types.some((type) => some(type, takes, seen))
  if (SchemaAST.isSuspend(encoded)) return some(encoded.thunk(), takes, seen)
  return takes(encoded)
}

// A file of a multipart form is a declaration, and so is what Effect makes of `Schema.Unknown`.
const isTextLeaf: Takes = (ast) => {
  switch (ast._tag) {
    case "Any":
    case "Declaration":
    case "String":
    case "TemplateLiteral":
    case "Unknown":
      return true
    case "Enum":
      return ast.enums.some(([, value]) => typeof value === "string")
    case "Literal":
      return typeof ast.literal === "string"
    default:
      return false
  }
}

const isText: Takes = (ast) => some(ast, isTextLeaf)

const isTexts: Takes = (ast) =>
  some(
    ast,
    (leaf) =>
      isTextLeaf(leaf) ||
      (SchemaAST.isArrays(leaf) && [...leaf.elements, ...leaf.rest].every(isText))
  )

/** Whether a member is declared so that requests do not have it. */
const isForbidden: Takes = (ast) =>
  SchemaAST.isOptional(ast) &&
  !some(ast, (leaf) => !SchemaAST.isNever(leaf) && !EmptyBody.isNothing(leaf))

const advice: Readonly<Record<string, string>> = {
  field: "one text or several texts. Send the value as a JSON body, or write Schema.fromJsonString",
  header:
    "one text. Write a schema that decodes a text; for a list with commas Schema.String.pipe(Schema.decodeTo(Schema.Array(Schema.String), { decode: SchemaGetter.split(), encode: SchemaGetter.transform((list) => list.join()) }))",
  "path parameter":
    "one text. Write a schema that decodes a text, such as Schema.String or Schema.Int",
  "query parameter":
    "one text or several texts. Write one parameter for each member, or Schema.fromJsonString"
}

/** Returns what is wrong with the members of a schema that is a record of texts. */
const fields = (
  ast: SchemaAST.AST,
  kind: string,
  takes: Takes,
  refusesName: (name: string, isOptional: boolean) => string | undefined = () => undefined
): ReadonlyArray<string> => {
  const each: Array<ReadonlyArray<string>> = []
  some(ast, (leaf) => {
    if (EmptyBody.isNothing(leaf)) return false
    if (!SchemaAST.isObjects(leaf)) {
      // What a class of the user's takes is not known.
      const isKnown = leaf._tag !== "Any" && leaf._tag !== "Declaration" && leaf._tag !== "Unknown"
      each.push(
        isKnown
          ? [`its ${kind}s have names, and the schema is no struct. Write a Schema.Struct.`]
          : []
      )
      return false
    }
    const cannot = (which: string, type: SchemaAST.AST, wrong: string | undefined) => {
      const why = wrong ?? (takes(type) ? undefined : `a ${kind} is ${advice[kind]}.`)
      return why === undefined || isForbidden(type) ? [] : [`${which} cannot be sent: ${why}`]
    }
    each.push([
      ...leaf.propertySignatures.flatMap(({ name, type }) => {
        const isOptional = SchemaAST.isOptional(SchemaAST.toEncoded(type))
        return cannot(`the ${kind} "${String(name)}"`, type, refusesName(String(name), isOptional))
      }),
      ...leaf.indexSignatures.flatMap(({ type }) => cannot(`any ${kind}`, type, undefined))
    ])
    return false
  })
  // Of a union one member is enough.
  return each.every((reasons) => reasons.length > 0) ? each.flat() : []
}

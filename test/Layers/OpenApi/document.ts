// Checks the structure of an OpenAPI 3.1 document: the required fields, the fixed fields of each
// object, the references, and what JSON Schema 2020-12 says of the keywords that are used.
// Source: https://spec.openapis.org/oas/v3.1.1

type Json = Record<string, any>

const methods = ["delete", "get", "head", "options", "patch", "post", "put", "trace"]

const fixed = {
  components: ["schemas", "securitySchemes"],
  document: ["components", "info", "openapi", "paths", "security", "servers", "tags"],
  info: ["description", "license", "summary", "title", "version"],
  media: ["schema"],
  operation: [
    "deprecated",
    "description",
    "externalDocs",
    "operationId",
    "parameters",
    "requestBody",
    "responses",
    "security",
    "summary",
    "tags"
  ],
  parameter: ["description", "in", "name", "required", "schema"],
  pathItem: [...methods, "description", "parameters", "servers", "summary"],
  requestBody: ["content", "description", "required"],
  response: ["content", "description", "headers"]
}

const types = ["array", "boolean", "integer", "null", "number", "object", "string"]

/** Everything that is wrong with the document; empty for a valid one. */
export const problemsOf = (document: unknown): ReadonlyArray<string> => {
  const found: Array<string> = []
  const doc = document as Json
  const must = (ok: boolean, at: string, what: string) => {
    if (!ok) found.push(`${at}: ${what}`)
  }
  const only = (value: Json, kind: keyof typeof fixed, at: string) => {
    for (const key of Object.keys(value)) {
      must(fixed[kind].includes(key) || key.startsWith("x-"), at, `${key} is no field of ${kind}`)
    }
  }

  const schema = (value: any, at: string): void => {
    if (typeof value === "boolean") return
    must(typeof value === "object" && value !== null, at, "is no schema")
    if (value.$ref !== undefined) {
      const target = String(value.$ref)
        .split("/")
        .slice(1)
        .reduce<any>((node, key) => node?.[key.replaceAll("~1", "/").replaceAll("~0", "~")], doc)
      must(
        String(value.$ref).startsWith("#/") && target !== undefined,
        at,
        `${value.$ref} is nowhere`
      )
    }
    for (const type of [value.type ?? []].flat()) must(types.includes(type), at, `no type ${type}`)
    must(value.nullable === undefined, at, "nullable is of OpenAPI 3.0")
    must(value.enum === undefined || Array.isArray(value.enum), at, "enum is no list")
    must(
      value.required === undefined ||
        value.required.every((key: string) => value.properties?.[key] !== undefined),
      at,
      "requires a property that it does not have"
    )
    for (const key of ["allOf", "anyOf", "oneOf", "prefixItems"]) {
      if (value[key] === undefined) continue
      must(Array.isArray(value[key]) && value[key].length > 0, at, `${key} is empty`)
      value[key].forEach((each: unknown, i: number) => schema(each, `${at}/${key}/${i}`))
    }
    for (const key of ["$defs", "patternProperties", "properties"]) {
      for (const [name, each] of Object.entries(value[key] ?? {}))
        schema(each, `${at}/${key}/${name}`)
    }
    for (const key of ["additionalProperties", "items", "not"]) {
      if (value[key] !== undefined) schema(value[key], `${at}/${key}`)
    }
  }

  const content = (value: Json, at: string) => {
    for (const [type, media] of Object.entries(value)) {
      must(/^[\w.+-]+\/[\w.+*-]+$/.test(type), at, `${type} is no media type`)
      only(media, "media", `${at}/${type}`)
      schema(media.schema, `${at}/${type}`)
    }
  }

  const parameter = (value: Json, path: string, at: string) => {
    only(value, "parameter", at)
    must(["cookie", "header", "path", "query"].includes(value["in"]), at, `no place ${value["in"]}`)
    if (value["in"] === "path") {
      must(value["required"] === true, at, "a path parameter is required")
      must(path.includes(`{${value["name"]}}`), at, `${value["name"]} is not in the path`)
    }
    schema(value["schema"], at)
  }

  const ids = new Set<string>()
  const operation = (value: Json, path: string, at: string) => {
    only(value, "operation", at)
    must(!ids.has(value["operationId"]), at, `operationId ${value["operationId"]} is not unique`)
    ids.add(value["operationId"])
    const parameters: Array<Json> = value["parameters"] ?? []
    parameters.forEach((each, i) => parameter(each, path, `${at}/parameters/${i}`))
    const keys = parameters.map((each) => `${each["in"]} ${each["name"]}`)
    must(new Set(keys).size === keys.length, at, "a parameter stands twice")
    for (const [, name] of path.matchAll(/\{([^}]+)\}/g)) {
      must(keys.includes(`path ${name}`), at, `the path parameter ${name} is not described`)
    }
    if (value["requestBody"] !== undefined) {
      only(value["requestBody"], "requestBody", at)
      content(value["requestBody"].content, `${at}/requestBody`)
    }
    must(Object.keys(value["responses"] ?? {}).length > 0, at, "has no responses")
    for (const [status, response] of Object.entries<Json>(value["responses"] ?? {})) {
      must(/^([1-5]\d\d|[1-5]XX|default)$/.test(status), at, `no status ${status}`)
      only(response, "response", `${at}/${status}`)
      must(typeof response["description"] === "string", `${at}/${status}`, "has no description")
      content(response["content"] ?? {}, `${at}/${status}`)
    }
    for (const requirement of value["security"] ?? []) {
      for (const scheme of Object.keys(requirement)) {
        must(doc["components"]?.securitySchemes?.[scheme] !== undefined, at, `no scheme ${scheme}`)
      }
    }
  }

  only(doc, "document", "")
  must(/^3\.1\.\d+$/.test(doc["openapi"]), "", `openapi is ${doc["openapi"]}`)
  only(doc["info"], "info", "info")
  for (const key of ["title", "version"]) {
    must(typeof doc["info"]?.[key] === "string", "info", `has no ${key}`)
  }
  must(doc["paths"] !== undefined || doc["components"] !== undefined, "", "describes nothing")
  only(doc["components"], "components", "components")
  for (const [name, each] of Object.entries(doc["components"].schemas)) {
    must(/^[A-Za-z0-9._-]+$/.test(name), "components", `${name} is no name of a component`)
    schema(each, `components/schemas/${name}`)
  }
  const names = (doc["tags"] ?? []).map(({ name }: Json) => name)
  must(new Set(names).size === names.length, "tags", "a tag stands twice")
  for (const [path, item] of Object.entries<Json>(doc["paths"])) {
    must(path.startsWith("/"), "paths", `${path} does not begin with a slash`)
    only(item, "pathItem", path)
    for (const method of methods) {
      if (item[method] !== undefined) operation(item[method], path, `${method} ${path}`)
    }
  }
  return found
}

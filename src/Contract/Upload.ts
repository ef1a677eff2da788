/** Multipart forms with files, as payloads of a contract. */
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import * as OwnKeys from "./OwnKeys.ts"

/** How often a file comes in a form. */
export type Count = "many" | "one" | "optional"

/** What a file has to be. */
export interface FileRules {
  /** The longest file in bytes. */
  readonly maxBytes: number
  /**
   * The media types that are accepted. The first bytes of the file decide. A type that they cannot show, such as
   * `text/csv`, is accepted if the client names it and they show no other type. The default is every type.
   */
  readonly types?: ReadonlyArray<string> | undefined
}

/** What several files of one name have to be. */
export interface FilesRules extends FileRules {
  /** The most files. */
  readonly maxFiles: number
}

/** The rules of a file in a form. */
export interface FilePart<out C extends Count = Count> {
  readonly "~flange/Upload": FilesRules & { readonly count: C }
}

const binary = ({ maxBytes, types }: FileRules) => {
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1) {
    throw new TypeError(
      `The maxBytes ${maxBytes} of a file is no number of bytes. Write a whole number above 0, such as 5 * 1024 * 1024.`
    )
  }
  const kinds = types === undefined ? "" : ` Of a type of: ${types.join(", ")}.`
  return Schema.String.annotate({
    description: `A file of at most ${maxBytes} bytes.${kinds}`,
    format: "binary"
  })
}

const withRules = <S extends Schema.Top, C extends Count>(
  schema: S,
  rules: FilePart<C>["~flange/Upload"]
): FilePart<C> & S => Object.assign(schema, { "~flange/Upload": rules })

/** Creates the schema of one file, for `multipart`. */
export const file = (rules: FileRules): FilePart<"one"> & Schema.String =>
  withRules(binary(rules), { ...rules, count: "one", maxFiles: 1 })

/** Creates the schema of a file that may be missing, for `multipart`. */
export const optionalFile = (
  rules: FileRules
): FilePart<"optional"> & Schema.optionalKey<Schema.String> =>
  withRules(Schema.optionalKey(binary(rules)), { ...rules, count: "optional", maxFiles: 1 })

/** Creates the schema of a list of files of one name, for `multipart`. It may be empty. */
export const files = (rules: FilesRules): FilePart<"many"> & Schema.$Array<Schema.String> =>
  withRules(Schema.Array(binary(rules)), { ...rules, count: "many" })

/** The limits of a form, beside those of its files. */
export interface Limits {
  /** The longest text of a field in bytes. The default is 64 KiB. */
  readonly maxFieldBytes?: number | undefined
  /** The most fields: a list has one for each element. The default is 100. */
  readonly maxFields?: number | undefined
}

/** What is known of a form. */
export interface Description<Fields extends Schema.Struct.Fields> {
  /** The schema of the fields without the files. */
  readonly fields: Schema.Struct<Omit<Fields, FileKeys<Fields>>>
  readonly files: ReadonlyMap<string, FilePart["~flange/Upload"]>
  readonly maxBytes: number
  readonly maxFieldBytes: number
  readonly maxParts: number
}

/** The names of the files in a form. */
export type FileKeys<Fields> = {
  [K in keyof Fields]: Fields[K] extends FilePart ? K : never
}[keyof Fields]

/** The schema of a form with files: the payload of an endpoint. */
export interface Form<Fields extends Schema.Struct.Fields> {
  readonly "~flange/Form": Description<Fields>
}

/** Bytes for the boundary and the headers of a part. */
const headBytes = 1024

/**
 * Creates the payload of an endpoint that takes a form with files. The limits hold while the form is read, and
 * their sum is the body limit of the endpoint. The handler reads the form with `Files.receive`, and a client sends
 * `FormData`, which `formData` makes.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
 * import * as Schema from "effect/Schema"
 * import { Upload, uploadErrors } from "flange/Files/Contract"
 *
 * export const PictureForm = Upload.multipart({
 *   picture: Upload.file({ maxBytes: 5 * 1024 * 1024, types: ["image/jpeg", "image/png"] }),
 *   title: Schema.NonEmptyString
 * })
 *
 * export class PicturesApi extends HttpApiGroup.make("pictures").add(
 *   HttpApiEndpoint.post("add", "/pictures", {
 *     error: uploadErrors,
 *     payload: PictureForm,
 *     success: Schema.Struct({ size: Schema.Int })
 *   })
 * ) {}
 * PictureForm["~flange/Form"].files.has("picture") // => true
 * ```
 */
export const multipart = <const Fields extends Schema.Struct.Fields>(
  fields: Fields,
  { maxFieldBytes = 65_536, maxFields = 100 }: Limits = {}
): Form<Fields> & HttpApiSchema.asMultipartStream<Schema.Struct<Fields>> => {
  const files = new Map<string, FilePart["~flange/Upload"]>()
  for (const [name, field] of Object.entries(fields)) {
    if (isFilePart(field)) files.set(name, field["~flange/Upload"])
  }
  const texts = Object.fromEntries(Object.entries(fields).filter(([name]) => !files.has(name)))
  let maxBytes = maxFields * (maxFieldBytes + headBytes) + headBytes
  let maxParts = maxFields
  for (const rules of files.values()) {
    maxBytes += rules.maxFiles * (rules.maxBytes + headBytes)
    maxParts += rules.maxFiles
  }
  const schema = Schema.Struct(fields).pipe(
    HttpApiSchema.asMultipartStream({
      // A file of JSON is a file.
      fieldMimeTypes: [],
      maxFieldSize: maxFieldBytes,
      maxParts,
      maxTotalSize: maxBytes
    })
  )
  const description: Description<Fields> = {
    // Its fields are those of the type: all that are no files.
    fields: Schema.Struct(texts) as unknown as Description<Fields>["fields"],
    files,
    maxBytes,
    maxFieldBytes,
    maxParts
  }
  return Object.assign(schema, { "~flange/Form": description })
}

const isFilePart = (field: object): field is FilePart => "~flange/Upload" in field

/** The values of a form that a client sends. */
export type Values<Fields extends Schema.Struct.Fields> = Schema.Struct.Type<
  Omit<Fields, FileKeys<Fields>>
> & {
  readonly [
    K in FileKeys<Fields> as Fields[K] extends FilePart<"optional"> ? never : K
  ]: Fields[K] extends FilePart<"many"> ? ReadonlyArray<Blob> : Blob
} & {
  readonly [K in FileKeys<Fields> as Fields[K] extends FilePart<"optional"> ? K : never]?:
    | Blob
    | undefined
}

const append = (data: FormData, name: string, value: unknown): void => {
  if (Array.isArray(value)) for (const element of value) append(data, name, element)
  else if (value instanceof Blob) data.append(name, value)
  else if (value !== undefined) data.append(name, String(value))
}

/**
 * Creates the `FormData` that a client of the contract sends: the fields first, so that a server need not take the
 * files of a form that it refuses. Throws if a field does not fit its schema.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import { Upload } from "flange/Files/Contract"
 *
 * const Form = Upload.multipart({ note: Upload.file({ maxBytes: 100 }), stars: Schema.Int })
 * const data = Upload.formData(Form, { note: new Blob(["tea"]), stars: 5 })
 * data.get("stars") // => "5"
 * ```
 */
export const formData = <Fields extends Schema.Struct.Fields>(
  form: Form<Fields>,
  values: Values<Fields>
): FormData => {
  const { fields, files } = form["~flange/Form"]
  // The schema of fields as texts needs no service: the client would have to provide it.
  const texts = Schema.toCodecStringTree(fields) as unknown as Schema.Codec<unknown, object>
  const given: Readonly<Record<string, unknown>> = values
  const data = new FormData()
  const others = Object.fromEntries(Object.entries(given).filter(([name]) => !files.has(name)))
  const encoded = Schema.encodeUnknownSync(OwnKeys.encoding(texts))(others)
  for (const [name, value] of Object.entries(encoded)) append(data, name, value)
  for (const name of files.keys()) if (Object.hasOwn(given, name)) append(data, name, given[name])
  return data
}

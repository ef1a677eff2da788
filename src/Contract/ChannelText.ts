/** The messages of channels as JSON text. Clients and servers use it. */
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as OwnKeys from "./OwnKeys.ts"

/** A schema of messages. Its values are encoded and decoded at once, without services. */
export type MessageSchema = Schema.ConstraintCodec<unknown, unknown, never, never>

/** The encoder and the decoder of one direction of a channel. */
export interface ChannelText<A> {
  /** Returns the value of a text. If the text is refused, returns the JSON pointer of the faulty part and the reason. */
  readonly decode: (text: string) => Result.Result<A, string>
  /** Returns the text of a value. Throws a `TypeError` if the value does not fit the schema. */
  readonly encode: (value: A) => string
}

const made = new WeakMap<MessageSchema, ChannelText<never>>()

/** Returns the encoder and the decoder of a schema, made once. */
export const of = <S extends MessageSchema>(schema: S): ChannelText<S["Type"]> => {
  const found = made.get(schema)
  // It was made for the same schema.
  if (found !== undefined) return found as unknown as ChannelText<S["Type"]>
  const text = make(schema)
  made.set(schema, text as unknown as ChannelText<never>)
  return text
}

const make = <S extends MessageSchema>(schema: S): ChannelText<S["Type"]> => {
  const json = Schema.toCodecJson(schema) as unknown as Schema.ConstraintCodec<
    S["Type"],
    unknown,
    never,
    never
  >
  const decode = Schema.decodeUnknownExit(OwnKeys.decoding(json))
  const encode = Schema.encodeUnknownExit(OwnKeys.encoding(json))
  return {
    decode: (text) => {
      try {
        const exit = decode(parse(text))
        return Exit.isSuccess(exit) ? Result.succeed(exit.value) : Result.fail(reasonOf(exit))
      } catch (error) {
        // A text may be nested so deep that the stack overflows.
        return Result.fail(error instanceof Error ? firstLine(error.message) : "Not JSON")
      }
    },
    encode: (value) => {
      const exit = encode(value)
      if (Exit.isSuccess(exit)) return JSON.stringify(exit.value)
      throw new TypeError(
        `A message does not fit its channel: ${reasonOf(exit)}. Send a value of the schema.`
      )
    }
  }
}

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** Returns the text of the first issue, after its pointer if it concerns a part of the message. */
const reasonOf = ({ cause }: Exit.Failure<unknown, Schema.SchemaError>): string => {
  const reason = cause.reasons[0]
  if (reason?._tag !== "Fail") return "The schema needs to wait. Use one that decodes at once"
  const [issue] = format(reason.error.issue).issues
  const pointer = (issue?.path ?? []).map(
    (segment) => `/${String(typeof segment === "object" ? segment.key : segment)}`
  )
  const text = firstLine(issue?.message ?? "Invalid")
  return pointer.length > 0 ? `${pointer.join("")}: ${text}` : text
}

const firstLine = (text: string): string => text.split("\n", 1)[0]!

const prototype = "__proto__"

/** Parses JSON. Refuses the key `__proto__`, which a careless merge would turn into a prototype. */
const parse = (text: string): unknown =>
  // An escape can spell any letter of the key.
  text.includes(prototype) || text.includes("\\u")
    ? JSON.parse(text, withoutPrototype)
    : JSON.parse(text)

const withoutPrototype = (key: string, value: unknown): unknown => {
  if (key === prototype) throw new TypeError(`The key "${prototype}" is not allowed`)
  return value
}

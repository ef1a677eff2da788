/** Questions of a template, typed by their answers. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** A question whose answer is one of several words. */
export interface Choice<Value extends string> {
  /** The possible answers, each with a description. */
  readonly choices: Readonly<Record<Value, string>>
  readonly default: NoInfer<Value>
  readonly kind: "choice"
  /** What a terminal shows, such as `Which region?`. */
  readonly message: string
}

/** A question whose answer is yes or no. */
export interface Confirm {
  readonly default: boolean
  readonly kind: "confirm"
  /** What a terminal shows, such as `Does it need a queue?`. */
  readonly message: string
}

/** A question whose answer is text. */
export interface Text {
  /** The answer if none is given. Without it, an answer is required. */
  readonly default?: string | undefined
  readonly kind: "text"
  /** What a terminal shows, such as `Which team owns it?`. */
  readonly message: string
  /** What the text has to be. Default: any text that is not empty. */
  readonly schema: Schema.Codec<string>
}

/** A question of any type. */
export type Question = Choice<string> | Confirm | Text

/** Questions, by the names of their answers. */
export type Questions = Readonly<Record<string, Question>>

/** The answers to questions: text, one of the choices, or a boolean. */
export type Answers<Q extends Questions> = {
  readonly [Key in keyof Q]: Q[Key] extends Confirm
    ? boolean
    : Q[Key] extends Choice<infer Value>
      ? Value
      : string
}

/** Creates a question whose answer is one of several words. */
export const choice = <const Value extends string>(
  options: Omit<Choice<Value>, "kind">
): Choice<Value> => ({ ...options, kind: "choice" })

/** Creates a question whose answer is yes or no. */
export const confirm = (options: Omit<Confirm, "kind">): Confirm => ({
  ...options,
  kind: "confirm"
})

/** Creates a question whose answer is text. */
export const text = (
  options: Omit<Text, "kind" | "schema"> & Partial<Pick<Text, "schema">>
): Text => ({ schema: Schema.NonEmptyString, ...options, kind: "text" })

/** Reads the answer to a question whose answer is text. Fails with what it takes instead. */
export const readText = ({ schema }: Text, answer: string): Effect.Effect<string, string> =>
  Effect.mapError(Schema.decodeEffect(schema)(answer), ({ message }) => message)

/** Reads the answer that a command line has for a question. Fails with what it takes instead. */
export const read = (
  question: Question,
  answer: string
): Effect.Effect<boolean | string, string> => {
  if (question.kind === "text") return readText(question, answer)
  if (question.kind === "confirm") {
    return answer === "true" || answer === "false"
      ? Effect.succeed(answer === "true")
      : Effect.fail("It takes true or false")
  }
  return Object.hasOwn(question.choices, answer)
    ? Effect.succeed(answer)
    : Effect.fail(`It takes ${Object.keys(question.choices).join(", ")}`)
}

/** The answers to the questions of a template: those of the command line, then of the terminal. */
import * as Prompt from "effect/cli/Prompt"
import * as Effect from "effect/Effect"
import type * as Terminal from "effect/Terminal"
import { nearest } from "../../Config/Nearest.ts"
import type { CommandError } from "../../Plugin/Cli.ts"
import { unusable } from "../Failure.ts"
import * as Question from "./Question.ts"
import type { Template } from "./Template.ts"

/** Returns the reason why an answer has no question, if it has none. */
const unknown = (questions: Question.Questions, name: string): string | undefined => {
  const names = Object.keys(questions)
  if (names.includes(name)) return undefined
  const near = nearest(name, names)
  const has =
    names.length === 0 ? "It has no questions." : `Its questions are: ${names.join(", ")}.`
  return `The template has no question "${name}". ${near === undefined ? has : `Did you mean "${near}"?`}`
}

/** Asks a question in a terminal. The answer that Enter gives is the default. */
const ask = (question: Question.Question): Prompt.Prompt<boolean | string> => {
  const { message } = question
  if (question.kind === "text") {
    return Prompt.String({
      ...(question.default === undefined ? {} : { default: question.default }),
      message,
      validate: (value) => Question.readText(question, value)
    })
  }
  if (question.kind === "confirm") return Prompt.Confirm({ initial: question.default, message })
  const choices = Object.entries(question.choices).map(([value, description]) => ({
    description,
    title: value,
    value
  }))
  return Prompt.Select({
    choices: choices.toSorted(
      (a, b) => Number(b.value === question.default) - Number(a.value === question.default)
    ),
    message
  })
}

/** Checks for a question that has only one answer, so that it need not be asked. */
const isSettled = (question: Question.Question): boolean =>
  question.kind === "choice" && Object.keys(question.choices).length === 1

/**
 * Returns the answers to the questions of a template. A question without a given answer is asked in a
 * terminal, or has its default. Fails with `CommandError` if an answer is not to a question, does not
 * fit, or is missing.
 */
export const of = (
  { questions }: Template,
  given: Readonly<Record<string, string>>,
  isTerminal: boolean
): Effect.Effect<
  Readonly<Record<string, boolean | string>>,
  CommandError | Terminal.QuitError,
  Prompt.Environment
> =>
  Effect.gen(function* () {
    const problem = Object.keys(given)
      .map((name) => unknown(questions, name))
      .find((reason) => reason !== undefined)
    if (problem !== undefined) return yield* unusable(problem)
    const answers: Record<string, boolean | string> = {}
    for (const [name, question] of Object.entries(questions)) {
      const answer = given[name]
      if (answer !== undefined) {
        answers[name] = yield* Effect.mapError(Question.read(question, answer), (takes) =>
          unusable(`"${answer}" is no answer to ${name}. ${takes}.`)
        )
      } else if (isTerminal && !isSettled(question)) {
        answers[name] = yield* ask(question)
      } else if (question.default === undefined) {
        return yield* unusable(
          `The question ${name} has no answer: "${question.message}" Write: --answer ${name}=VALUE`
        )
      } else {
        answers[name] = question.default
      }
    }
    return answers
  })

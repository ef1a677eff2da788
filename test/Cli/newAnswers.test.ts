// The answers to the questions of a template: those of a command line, and those of a terminal.
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { describe, expect, it } from "@effect/vitest"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Terminal from "effect/Terminal"
import { Template } from "flange/Cli"
import * as Answers from "../../src/Cli/New/Answers.ts"
import * as BuiltIn from "../../src/Cli/New/BuiltIn.ts"

const acme = Template.make({
  description: "A service of Acme",
  files: () => ({}),
  questions: {
    queue: Template.confirm({ default: true, message: "Does it need a queue?" }),
    region: Template.choice({
      choices: { eu: "Frankfurt", jp: "Tokyo", us: "Oregon" },
      default: "jp",
      message: "Which region?"
    }),
    tag: Template.text({ default: "none", message: "Which tag?" }),
    team: Template.text({
      message: "Which team owns it?",
      schema: Schema.String.check(Schema.isPattern(/^[a-z]+$/, { expected: "small letters" }))
    })
  }
})

/** A terminal in which somebody presses keys: those with a name, or one for each character. */
const terminal = (pressed: ReadonlyArray<string>) =>
  Layer.effect(
    Terminal.Terminal,
    Effect.gen(function* () {
      const queue = yield* Queue.unbounded<Terminal.UserInput, Cause.Done>()
      for (const keys of pressed) {
        for (const name of ["backspace", "down", "enter"].includes(keys) ? [keys] : keys) {
          const input = Option.liftPredicate(name, ({ length }) => length === 1)
          yield* Queue.offer(queue, {
            input,
            key: { ctrl: false, meta: false, name, shift: false }
          })
        }
      }
      // What somebody does who has no more answers.
      yield* Queue.end(queue)
      return Terminal.make({
        columns: Effect.succeed(80),
        display: () => Effect.void,
        readInput: Effect.succeed(queue),
        readLine: Effect.never,
        rows: Effect.succeed(24),
        size: Effect.never
      })
    })
  )

const answersOf = (
  template: Template.Template,
  given: Readonly<Record<string, string>>,
  pressed?: ReadonlyArray<string>
) =>
  Answers.of(template, given, pressed !== undefined).pipe(
    Effect.provide([terminal(pressed ?? []), NodeFileSystem.layer, NodePath.layer])
  )

const refusal = (template: Template.Template, given: Readonly<Record<string, string>>) =>
  Effect.map(Effect.flip(answersOf(template, given)), ({ message }) => message)

describe("without a terminal", () => {
  it.effect("questions that have no answer have their defaults", () =>
    Effect.gen(function* () {
      const given = { region: "us", team: "shop" }
      expect(yield* answersOf(acme, given)).toEqual({
        queue: true,
        region: "us",
        tag: "none",
        team: "shop"
      })
      expect(yield* answersOf(BuiltIn.templates.full, {})).toEqual({ auth: "jwt", db: "postgres" })
    })
  )

  it.effect("a question without a default is named, with what to write", () =>
    Effect.gen(function* () {
      expect(yield* refusal(acme, {})).toBe(
        'The question team has no answer: "Which team owns it?" Write: --answer team=VALUE'
      )
    })
  )
})

describe("an answer of the command line", () => {
  it.effect("is refused if it does not fit", () =>
    Effect.gen(function* () {
      for (const [given, reason] of [
        [{ queue: "yes" }, '"yes" is no answer to queue. It takes true or false.'],
        [{ region: "mars" }, '"mars" is no answer to region. It takes eu, jp, us.'],
        [{ tag: "" }, '"" is no answer to tag. Expected a value with a length of at least 1.'],
        [{ team: "Shop" }, '"Shop" is no answer to team. Expected small letters.']
      ] as const) {
        expect(yield* refusal(acme, given)).toBe(reason)
      }
      expect(yield* refusal(BuiltIn.templates.minimal, { db: "mysql" })).toBe(
        '"mysql" is no answer to db. It takes none.'
      )
    })
  )

  it.effect("is refused if no question has its name", () =>
    Effect.gen(function* () {
      expect(yield* refusal(acme, { reigon: "eu" })).toBe(
        'The template has no question "reigon". Did you mean "region"?'
      )
      expect(yield* refusal(acme, { color: "red" })).toBe(
        'The template has no question "color". Its questions are: queue, region, tag, team.'
      )
    })
  )
})

describe("in a terminal", () => {
  it.effect("questions are asked, and Enter takes the default, which is first", () =>
    Effect.gen(function* () {
      const pressed = ["n", "enter", "enter", "shop", "enter"]
      expect(yield* answersOf(acme, {}, pressed)).toEqual({
        queue: false,
        region: "jp",
        tag: "none",
        team: "shop"
      })
    })
  )

  it.effect("an answer is asked again until it fits", () =>
    Effect.gen(function* () {
      const pressed = [
        "y",
        "down",
        "enter",
        "blue",
        "enter",
        "2",
        "enter",
        "backspace",
        "shop",
        "enter"
      ]
      const { team } = yield* answersOf(acme, {}, pressed)
      expect(team).toBe("shop")
    })
  )

  it.effect("nothing is asked if everything is given, or has one answer", () =>
    Effect.gen(function* () {
      const given = { queue: "true", region: "eu", tag: "a", team: "shop" }
      expect(yield* answersOf(acme, given, [])).toEqual({ ...given, queue: true })
      expect(yield* answersOf(BuiltIn.templates.minimal, {}, [])).toEqual({
        auth: "none",
        db: "none"
      })
    })
  )

  it.effect("whoever gives no more answers ends it", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(answersOf(acme, {}, ["y"]))
      expect(Terminal.isQuitError(error)).toBe(true)
    })
  )
})

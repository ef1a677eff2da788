/** Code of an app that misbehaves on request: one function at a time, in one way at a time. */
import * as Effect from "effect/Effect"

/** How a function misbehaves. "waits" is no misbehaviour: it takes time and ends well. */
export type Way =
  | "dies of undefined"
  | "dies"
  | "fails"
  | "never ends"
  | "rejects"
  | "returns no effect"
  | "throws after a wait"
  | "throws undefined"
  | "throws what cannot be read"
  | "throws"
  | "waits"

/** The ways of a function that returns a plain value. */
export const plain: ReadonlyArray<Way> = [
  "throws",
  "throws undefined",
  "throws what cannot be read"
]

/** The ways of a function that returns an effect. */
export const effectful: ReadonlyArray<Way> = [
  ...plain,
  "dies",
  "dies of undefined",
  "never ends",
  "rejects",
  "throws after a wait",
  "waits"
]

/** What the functions throw, die of and reject with. */
export const failure = new Error("The app's own code failed")

const revoked = Proxy.revocable({}, {})
revoked.revoke()

/** A value that throws whatever is done with it. */
export const unreadable: object = revoked.proxy

let current: { readonly subject: string; readonly way: Way } | undefined
let called = 0

/** How often the function that misbehaves was called. */
export const calls = (): number => called

/** From now on one function misbehaves, or none. */
export const misbehave = (next?: { readonly subject: string; readonly way: Way }): void => {
  current = next
  called = 0
}

/** The way of a function that was called now; throws if that is the way. */
const enter = (subject: string): Way | undefined => {
  if (current?.subject !== subject) return undefined
  called++
  if (current.way === "throws") throw failure
  if (current.way === "throws undefined") throw undefined
  if (current.way === "throws what cannot be read") throw unreadable
  return current.way
}

/** Is called within a function that returns a plain value. */
export const returns = <A>(subject: string, value: A): A => {
  enter(subject)
  return value
}

/** Is called within a function that returns an effect. */
export const runs = <A>(subject: string, value: A): Effect.Effect<A> => {
  switch (enter(subject)) {
    case "dies":
      return Effect.die(failure)
    case "dies of undefined":
      return Effect.die(undefined)
    case "fails":
      return Effect.fail(failure) as never // with an error that its type does not have
    case "never ends":
      return Effect.never
    case "rejects":
      return Effect.promise(() => Promise.reject(failure))
    case "returns no effect":
      return { no: "effect" } as never // a program without types does this
    case "throws after a wait":
      return Effect.andThen(
        Effect.sleep(1),
        Effect.sync(() => {
          throw failure
        })
      )
    case "waits":
      return Effect.as(Effect.sleep(1), value)
    default:
      return Effect.succeed(value)
  }
}

/** Is called within a function that returns nothing; an `async` one fits its type too. */
export const tells = (subject: string): void => {
  if (enter(subject) === "rejects") return Promise.reject(failure) as never
}

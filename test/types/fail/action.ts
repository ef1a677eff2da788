// Actions that are called or implemented against their declaration.
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Action, Plugin } from "flange"

class TooMany extends Schema.TaggedClass<TooMany>()("TooMany", {}) {}

const Reserve = Action.make("reserve", {
  error: TooMany,
  payload: Schema.Struct({ count: Schema.Int }),
  success: Schema.Int
})

export const wrongPayload = Reserve.call({ count: "1" })
// ^ expect: Type 'string' is not assignable to type 'number'

export const unknownPayload = Reserve.call({ count: 1, color: "red" })
// ^ expect: 'color' does not exist in type

export const noPayload = Reserve.call()
// ^ expect: Expected 1 arguments, but got 0

export const wrongSuccess = Action.implement(Reserve, () => Effect.succeed("one"))
// ^ expect: Type 'string' is not assignable to type 'number'

export const wrongError = Action.implement(Reserve, () => Effect.fail("no"))
// ^ expect: Type 'string' is not assignable to type 'TooMany'

export const undeclared = Plugin.make("p", {
// ^ expect: The plugin uses `flange/Action/reserve`, which neither its layer nor its `config` provides: add it to `requires`
  ready: () => Effect.orDie(Effect.asVoid(Reserve.call({ count: 1 })))
})

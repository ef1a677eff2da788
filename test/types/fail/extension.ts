// Contributions and extension points that do not fit their declaration.
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { App, Contribution, Extension, Plugin } from "flange"

class Db extends Context.Service<Db, { readonly query: () => string }>()("app/Db") {}

const Job = Contribution.kind<{ readonly every: string }, () => string>()("job")
const Note = Contribution.kind<{ readonly text: string }>()("note")
const Price = Extension.make<number, number, Error>()("price")
const Sent = Extension.make<number, string>()("sent")

export const wrongData = Job.make("clean", { every: 1 }, Effect.succeed(String))
// ^ expect: Type 'number' is not assignable to type 'string'

export const wrongValue = Job.make("clean", { every: "1 day" }, Effect.succeed(1))
// ^ expect: Type 'number' is not assignable to type '() => string'

export const noBuild = Job.make("clean", { every: "1 day" })
// ^ expect: Expected 3 arguments, but got 2

export const needlessBuild = Note.make("clean", { text: "" }, Effect.void)
// ^ expect: Expected 2 arguments, but got 3

const build = Effect.map(Db, ({ query }) => query)
export const undeclared = Plugin.make("p", { contributes: [Job.make("q", { every: "" }, build)] })
// ^ expect: The plugin uses `app/Db`, which neither its layer nor its `config` provides: add it to `requires`

export const wrongOutput = Extension.fill(Price, () => Effect.succeed("one"))
// ^ expect: Type 'string' is not assignable to type 'number'

export const wrongError = Extension.fill(Price, () => Effect.fail("no"))
// ^ expect: Type 'string' is not assignable to type 'Error'

export const noWaterfall = Sent.waterfall(1)
// ^ expect: This expression is not callable

export const runs = Plugin.make("p", { ready: () => Effect.asVoid(Sent.all(1)) })
// ^ expect: The plugin uses `flange/Extension/sent`, which neither its layer nor its `config` provides: add it to `requires`

const fills = Plugin.make("fills", { contributes: [Extension.fill(Sent, () => Effect.succeed(""))] })
export const nobody = App.make("app", [fills])
// ^ expect: No plugin in this app provides `flange/Extension/sent`: add a plugin that does

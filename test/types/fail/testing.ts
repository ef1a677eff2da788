// A replacement in a test provides the services of the replaced plugin, and requires what the app has.
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { App, Plugin } from "flange"
import { TestApp } from "flange/Testing"

class Database extends Context.Service<Database, string>()("app/Database") {
  static readonly layer = Layer.succeed(Database, "real")
}
class Clock extends Context.Service<Clock, string>()("app/Clock") {}

const DatabasePlugin = Plugin.make("db", { layer: Database.layer, provides: [Database] })
const Empty = Plugin.make("empty", {})
const needsClock = Layer.effect(Database, Effect.map(Clock, (clock) => clock))
const app = App.make("shop", [DatabasePlugin])

TestApp.make(app, { replace: [[DatabasePlugin, Layer.succeed(Database, "fake")]] })

TestApp.make(app, { replace: [[DatabasePlugin, Empty]] })
// ^ expect: The replacement does not provide app/Database which the replaced plugin provides

TestApp.layer(app, { replace: [[DatabasePlugin, Layer.empty]] })
// ^ expect: The replacement does not provide app/Database which the replaced plugin provides

TestApp.listening(app, { replace: [[DatabasePlugin, needsClock]] })
// ^ expect: The replacement requires app/Clock which the app lacks

TestApp.make(app, { replace: [["db", needsClock]] })
// ^ expect: The replacement requires app/Clock which the app lacks

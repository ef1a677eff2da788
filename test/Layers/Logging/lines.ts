/** Apps that listen, with the lines that they write. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { App, Plugin } from "flange"
import * as Logging from "flange/Logging"
import { afterEach } from "vitest"

const closes: Array<() => Promise<void>> = []
afterEach(async () => {
  for (const close of closes.splice(0)) await close()
})

export type Lines = Array<string>

const record = (lines: Lines): Console.Console =>
  Object.assign(Object.create(globalThis.console), {
    log: (line: string) => void lines.push(line)
  })

export const parsed = (lines: Lines): Array<Record<string, any>> =>
  lines.map((line) => JSON.parse(line))

/** Starts an app that writes JSON. It is closed after the test. */
export const listening = async (
  plugins: ReadonlyArray<Plugin.Any>,
  values: { readonly app?: object; readonly logging?: object; readonly server?: object } = {}
) => {
  const lines: Lines = []
  let url = ""
  const Address = Plugin.make("app:address", {
    ready: ({ address }) =>
      Effect.sync(() => {
        url = address ?? ""
      })
  })
  const app = App.make("shop", [...plugins, Logging.plugin, Address], {
    config: {
      values: {
        app: { version: "1.2.0", ...values.app },
        env: "production",
        logging: values.logging ?? {},
        server: { host: "127.0.0.1", port: 0, ...values.server }
      },
      variables: {}
    }
  })
  const scope = Scope.makeUnsafe()
  const run = <A, E>(effect: Effect.Effect<A, E>) =>
    Effect.runPromise(Effect.provideService(effect, Console.Console, record(lines)))
  const close = () => run(Scope.close(scope, Exit.void))
  closes.push(close)
  await run(Layer.buildWithScope(App.layer(app), scope))
  return { close, lines, url }
}

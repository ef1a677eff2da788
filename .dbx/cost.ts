import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Pool from "effect/Pool"
const run = (name: string, e: Effect.Effect<any>) => Effect.runPromise(Effect.gen(function*() {
  for (let k = 0; k < 2; k++) { const t = performance.now(); for (let i = 0; i < 100000; i++) yield* e
  console.log(name, ((performance.now() - t) * 10).toFixed(0), "ns") } }))
await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  const pool = yield* Pool.make({ acquire: Effect.succeed(1), size: 4 })
  yield* Effect.promise(() => run("use", Pool.use(pool, () => Effect.void)))
  yield* Effect.promise(() => run("scoped get", Effect.scoped(Pool.get(pool)) as any))
  yield* Effect.promise(() => run("scoped get timeout", Effect.scoped(Effect.timeoutOrElse(Pool.get(pool), { duration: "5 seconds", orElse: () => Effect.die(1) })) as any))
})))

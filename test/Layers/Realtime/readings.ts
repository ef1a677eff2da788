/** The metrics of an app in a test, and the wait for them. */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"

/** Returns the value of a metric of an app; undefined if there is no such metric. */
export const reading = (
  shop: { readonly run: <A>(effect: Effect.Effect<A>) => Effect.Effect<A> },
  name: string
) =>
  shop.run(
    Effect.map(Metric.snapshot, (all) => {
      const found = all.find(({ id }) => id === name)
      return found?.type === "Gauge"
        ? found.state.value
        : found?.type === "Counter"
          ? Number(found.state.count)
          : undefined
    })
  )

/** Waits until a condition holds. */
export const until = (condition: Effect.Effect<boolean>) =>
  Effect.gen(function* () {
    while (!(yield* condition)) yield* Effect.sleep(5)
  })

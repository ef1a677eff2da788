/** Workers without processes, for the supervisor's own rules. */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Child, Ended } from "../../../../src/Server/Listener/Workers/Child.ts"
import type { FromWorker, ToWorker } from "../../../../src/Server/Listener/Workers/Messages.ts"
import * as Supervisor from "../../../../src/Server/Listener/Workers/Supervisor.ts"

/** A worker that a test moves by hand. It ends with code 0 when it is to stop, unless it is `stuck`. */
export interface Fake extends Child {
  readonly end: (ended?: Partial<Ended>) => void
  isStuck: boolean
  readonly killed: Array<string>
  readonly say: (message: FromWorker) => void
  readonly sent: Array<ToWorker>
  readonly serve: () => void
}

/** Starts a supervisor of such workers. */
export const make = (count: number, atOnce = count) =>
  Effect.gen(function* () {
    const fakes: Array<Fake> = []
    const reports: Array<string> = []
    let stops = 0
    const main = {
      onHangup: undefined,
      onUrgent: undefined,
      stop: () => void stops++
    } as Parameters<typeof Supervisor.supervise>[0]["main"]
    const fiber = yield* Effect.forkChild(
      Supervisor.supervise({
        atOnce,
        count,
        limit: Duration.seconds(30),
        main,
        report: (text) => reports.push(text),
        start: (number, _of, onMessage) => {
          const ended = Deferred.makeUnsafe<Ended>()
          const end = (how: Partial<Ended> = {}) =>
            void Deferred.doneUnsafe(ended, Effect.succeed({ code: null, signal: null, ...how }))
          const fake: Fake = {
            end,
            ended,
            isStuck: false,
            kill: (signal) => {
              fake.killed.push(signal)
              if (signal === "SIGKILL") end({ signal })
            },
            killed: [],
            number,
            pid: 100 + fakes.length,
            ready: Deferred.makeUnsafe(),
            say: (message) => onMessage(fake, message),
            send: (message) => {
              fake.sent.push(message)
              if (message.flange === "stop" && !fake.isStuck) end({ code: 0 })
            },
            sent: [],
            serve: () => onMessage(fake, { flange: "ready" })
          }
          fakes.push(fake)
          return fake
        }
      })
    )
    return {
      exit: Fiber.await(fiber),
      fakes,
      interrupt: Effect.forkChild(Fiber.interrupt(fiber)),
      /** The lines that it has logged so far, in order of the workers that wrote them. */
      logged: () => [
        ...reports,
        ...fakes.flatMap(({ sent }) =>
          sent.flatMap((message) => (message.flange === "log" ? [message.text] : []))
        )
      ],
      main,
      stops: () => stops
    }
  })

/** Lets fibers run that wait for nothing. */
export const settle = Effect.forEach(Array.from({ length: 50 }), () => Effect.yieldNow, {
  discard: true
})

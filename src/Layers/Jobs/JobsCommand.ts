/** `flange jobs`. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { CommandError, CurrentApp } from "../../Plugin/Cli.ts"
import { json, print } from "../../Plugin/Printing.ts"
import { Jobs } from "./Jobs.ts"
import type { Run } from "./RunStore.ts"

const name = Argument.String("job").pipe(Argument.withDescription("The name of the job"))

const at = (time: number) => new Date(time).toISOString()

const line = ({ attempt, dueAt, error, id, startedAt, status, trigger }: Run) =>
  [
    at(startedAt),
    status.padEnd(9),
    `${trigger}, due ${at(dueAt)}, attempt ${attempt}, run ${id}`,
    ...(error === undefined ? [] : [error.split("\n")[0]!])
  ].join("  ")

/** Runs an effect with the whole app, since jobs use the services of their plugins. */
const withJobs = <A, E extends { readonly _tag: string; readonly message: string }>(
  effect: Effect.Effect<A, E, Jobs>
): Effect.Effect<A, CommandError, CurrentApp> =>
  Effect.flatMap(CurrentApp, ({ run }) =>
    run(
      // All plugins are acquired, those that provide `Jobs` too: this command is a contribution of theirs.
      Effect.mapError(
        effect,
        ({ _tag, message }) =>
          new CommandError({ exitCode: _tag === "JobUnknown" ? 2 : 1, reason: message })
      ) as Effect.Effect<A, CommandError>
    )
  )

const list = Command.make(
  "list",
  { json },
  Effect.fn(function* ({ json }) {
    const all = yield* withJobs(Jobs.use(({ list }) => list))
    const lines = all.map(({ last, name, next, schedule }) =>
      [name, schedule, `next ${at(next)}`, last === undefined ? "never ran" : line(last)].join("  ")
    )
    return yield* print(all, json, lines, "The app has no jobs.")
  })
).pipe(Command.withDescription("List the jobs with their next due time and last run"))

const history = Command.make(
  "history",
  { job: name, json },
  Effect.fn(function* ({ job, json }) {
    const all = yield* withJobs(Jobs.use(({ history }) => history(job)))
    return yield* print(all, json, all.map(line), "The job has not run yet.")
  })
).pipe(Command.withDescription("List the last runs of a job, newest first"))

const run = Command.make(
  "run",
  { job: name, json },
  Effect.fn(function* ({ job, json }) {
    const done = yield* withJobs(Jobs.use(({ runNow }) => runNow(job)))
    yield* print(done, json, [line(done)], "")
    if (done.status !== "succeeded") {
      return yield* new CommandError({
        exitCode: 1,
        reason: `The job "${job}" has ${done.status}.`
      })
    }
  })
).pipe(Command.withDescription("Run a job now, in this process, and wait for its end"))

/** The command. */
export const command = Command.make("jobs").pipe(
  Command.withDescription("List jobs and their runs, and run a job"),
  Command.withSubcommands([history, list, run])
)

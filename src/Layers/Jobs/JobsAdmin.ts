/** The routes of the admin port. */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import type { ValidationFailed } from "../../Contract/Catalogue.ts"
import * as AdminRoute from "../../Plugin/AdminRoute.ts"
import * as Issues from "../../Server/Exchange/Issues.ts"
import { Jobs } from "./Jobs.ts"
import type { JobBusy, JobStoreError, JobUnknown } from "./JobsErrors.ts"

const RunsQuery = Schema.Struct({
  limit: Schema.optionalKey(
    Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ maximum: 1000, minimum: 1 }))
  )
})

const problem = (status: number, title: string, detail: string) =>
  HttpServerResponse.jsonUnsafe(
    { detail, status, title, type: "about:blank" },
    { contentType: "application/problem+json", status }
  )

const unavailable = ({ message }: JobStoreError) =>
  Effect.succeed(problem(503, "The runs of jobs are not available", message))

const named = <A, R>(
  use: (
    jobs: Jobs["Service"],
    name: string
  ) => Effect.Effect<A, JobBusy | JobStoreError | JobUnknown | ValidationFailed, R>
) =>
  Effect.gen(function* () {
    const { name = "" } = yield* HttpRouter.params
    return HttpServerResponse.jsonUnsafe(yield* use(yield* Jobs, name))
  }).pipe(
    Effect.catchTags({
      JobBusy: ({ message }) => Effect.succeed(problem(409, "The job runs already", message)),
      JobStoreError: unavailable,
      JobUnknown: ({ message }) => Effect.succeed(problem(404, "Unknown job", message))
    })
  )

/** The routes. */
export const routes = [
  AdminRoute.make(
    "jobs",
    { description: "Jobs with their schedules and last runs", method: "GET", path: "/jobs" },
    Effect.gen(function* () {
      const { list } = yield* Jobs
      return HttpServerResponse.jsonUnsafe(yield* list)
    }).pipe(Effect.catchTag("JobStoreError", unavailable))
  ),
  AdminRoute.make(
    "job-runs",
    {
      description: "The last runs of a job, 100 or as many as `limit`",
      method: "GET",
      path: "/jobs/:name/runs"
    },
    named((jobs, name) =>
      HttpServerRequest.schemaSearchParams(RunsQuery).pipe(
        Effect.mapError(({ issue }) => Issues.invalid(Issues.fromSchema("Query", issue))),
        Effect.flatMap(({ limit = 100 }) => jobs.history(name, limit))
      )
    )
  ),
  AdminRoute.make(
    "job-run",
    {
      description: "Runs a job now and waits for its end",
      method: "POST",
      path: "/jobs/:name/run"
    },
    named((jobs, name) => jobs.runNow(name))
  )
] as const

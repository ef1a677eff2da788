/** The routes of the admin port. */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as AdminRoute from "../../Plugin/AdminRoute.ts"
import { Jobs } from "./Jobs.ts"
import type { JobBusy, JobStoreError, JobUnknown } from "./JobsErrors.ts"

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
  ) => Effect.Effect<A, JobBusy | JobStoreError | JobUnknown, R>
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
    { description: "The last runs of a job", method: "GET", path: "/jobs/:name/runs" },
    named((jobs, name) => jobs.history(name, 100))
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

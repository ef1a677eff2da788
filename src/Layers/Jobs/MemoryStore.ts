/** Runs in the memory of the process. */
import * as Effect from "effect/Effect"
import type { Ending, Keep, Run, RunStore, Wanted } from "./RunStore.ts"

/** Creates the store of one process. */
export const make = (owner: string, keep: Keep): RunStore => {
  /** The runs of each job, oldest first. */
  const runs = new Map<string, ReadonlyArray<Run>>()
  const of = (job: string) => runs.get(job) ?? []
  /** The jobs of the runs that run. */
  const running = new Map<string, string>()
  const change = (id: string, changed: (run: Run) => Run): boolean => {
    const job = running.get(id)
    if (job === undefined) return false
    running.delete(id)
    runs.set(
      job,
      of(job).map((each) => (each.id === id ? changed(each) : each))
    )
    return true
  }
  const claim = ({ dueAt, id, job, now, overlap, trigger }: Wanted) => {
    const busy = of(job).filter(({ status }) => status === "running")
    const isBusy = busy.length > 0 && overlap !== "cancel"
    if (isBusy && (overlap === "queue" || trigger === "manual")) return "busy"
    for (const { id: other } of isBusy ? [] : busy) {
      change(other, (run) => ({ ...run, endedAt: now, status: "cancelled" }))
    }
    const run: Run = {
      attempt: 1,
      dueAt,
      endedAt: isBusy ? now : undefined,
      error: undefined,
      id,
      job,
      owner,
      startedAt: now,
      status: isBusy ? "skipped" : "running",
      trigger
    }
    runs.set(job, [...of(job), run])
    if (!isBusy) running.set(id, job)
    return isBusy ? "busy" : "claimed"
  }
  const prune = (job: string, now: number) => {
    const all = of(job)
    const lastDue = all.findLastIndex(({ trigger }) => trigger === "schedule")
    runs.set(
      job,
      all.filter(
        ({ startedAt, status }, index) =>
          status === "running" ||
          index === all.length - 1 ||
          index === lastDue ||
          (index >= all.length - keep.count && startedAt > now - keep.age)
      )
    )
  }
  return {
    claim: (wanted) => Effect.sync(() => claim(wanted)),
    end: (id, { error, now, status }: Ending) =>
      Effect.sync(() => change(id, (run) => ({ ...run, endedAt: now, error, status }))),
    history: (job, limit) => Effect.sync(() => of(job).slice(-limit).toReversed()),
    lastDue: (job) =>
      Effect.sync(() => of(job).findLast(({ trigger }) => trigger === "schedule")?.dueAt),
    prune: (job, now) => Effect.sync(() => prune(job, now)),
    pruneOthers: () => Effect.void,
    recent: (jobs, limit) =>
      Effect.sync(() => jobs.flatMap((job) => of(job).slice(-limit).toReversed())),
    renew: (ids) => Effect.sync(() => ids.filter((id) => running.has(id))),
    takeOver: () => Effect.succeed([]),
    time: undefined,
    transaction: undefined
  }
}

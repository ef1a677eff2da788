/** Runs in the memory of the process. */
import * as Effect from "effect/Effect"
import type { Ending, Keep, Run, RunStore, Wanted } from "./RunStore.ts"

/** Creates the store of one process. */
export const make = (owner: string, keep: Keep): RunStore => {
  /** The runs of each job, oldest first. */
  const runs = new Map<string, ReadonlyArray<Run>>()
  const dues = new Map<string, number>()
  const of = (job: string) => runs.get(job) ?? []
  const change = (id: string, changed: (run: Run) => Run): boolean => {
    for (const [job, all] of runs) {
      const run = all.find((each) => each.id === id)
      if (run?.status !== "running") continue
      runs.set(
        job,
        all.map((each) => (each.id === id ? changed(each) : each))
      )
      return true
    }
    return false
  }
  const claim = ({ dueAt, id, job, now, overlap, trigger }: Wanted) => {
    if (trigger === "schedule" && dueAt <= (dues.get(job) ?? Number.NEGATIVE_INFINITY))
      return "taken"
    const busy = of(job).filter(({ status }) => status === "running")
    const isBusy = busy.length > 0 && overlap !== "cancel"
    if (isBusy && (overlap === "queue" || trigger === "manual")) return "busy"
    for (const { id: other } of isBusy ? [] : busy) {
      change(other, (run) => ({ ...run, endedAt: now, status: "cancelled" }))
    }
    if (trigger === "schedule") dues.set(job, dueAt)
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
    return isBusy ? "busy" : "claimed"
  }
  const prune = (job: string, now: number) => {
    const all = of(job)
    runs.set(
      job,
      all.filter(
        ({ startedAt, status }, index) =>
          status === "running" ||
          index === all.length - 1 ||
          (index >= all.length - keep.count && startedAt > now - keep.age)
      )
    )
  }
  return {
    claim: (wanted) => Effect.sync(() => claim(wanted)),
    end: (id, { error, now, status }: Ending) =>
      Effect.sync(() => change(id, (run) => ({ ...run, endedAt: now, error, status }))),
    history: (job, limit) => Effect.sync(() => of(job).slice(-limit).toReversed()),
    lastDue: (job) => Effect.sync(() => dues.get(job)),
    prune: (job, now) => Effect.sync(() => prune(job, now)),
    renew: (ids) =>
      Effect.sync(() => {
        const running = [...runs.values()].flat().filter(({ status }) => status === "running")
        return ids.filter((id) => running.some((run) => run.id === id))
      }),
    takeOver: () => Effect.succeed([]),
    transaction: undefined
  }
}

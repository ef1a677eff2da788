/** A load balancer in front of the replicas. */
import type { Cores } from "./Cores.ts"
import type { Random } from "./Random.ts"
import type { Outcome, Replica, Work } from "./Replica.ts"
import type { Simulation } from "./Simulation.ts"

export interface Options {
  /** On how many replicas a request is tried if the connection fails. */
  readonly attempts: number
  /** Milliseconds until a connection to a replica that does not answer fails. */
  readonly connectTimeout: number
  /** Milliseconds on a core for each request. */
  readonly cpu: number
  /** Failed checks in a row after which a replica gets no more requests. */
  readonly fall: number
  /** Milliseconds between two checks of `/readyz`. */
  readonly interval: number
  /** Milliseconds from the balancer to a replica, one way. */
  readonly latency: number
  readonly policy: "leastConnections" | "roundRobin"
  /** Passed checks in a row after which it gets requests again. */
  readonly rise: number
}

export const defaults: Options = {
  attempts: 1,
  connectTimeout: 1000,
  cpu: 0,
  fall: 2,
  interval: 1000,
  latency: 0.1,
  policy: "roundRobin",
  rise: 2
}

interface Upstream {
  active: number
  failed: number
  isCut: boolean
  isHealthy: boolean
  passed: number
  readonly replica: Replica
}

export class Balancer {
  readonly #cores: Cores
  readonly #options: Options
  readonly #simulation: Simulation
  #turn = 0
  readonly upstreams: ReadonlyArray<Upstream>

  constructor(
    simulation: Simulation,
    cores: Cores,
    random: Random,
    replicas: ReadonlyArray<Replica>,
    options: Options
  ) {
    this.#cores = cores
    this.#options = options
    this.#simulation = simulation
    this.upstreams = replicas.map((replica) => ({
      active: 0,
      failed: 0,
      isCut: false,
      isHealthy: true,
      passed: 0,
      replica
    }))
    for (const upstream of this.upstreams) {
      simulation.after(random.next() * options.interval, () => this.#check(upstream))
    }
  }

  /** Cuts the connection to a replica, or restores it. */
  cut(index: number, isCut: boolean): void {
    this.upstreams[index]!.isCut = isCut
  }

  send(work: Work, reply: (outcome: Outcome) => void): void {
    const { cpu } = this.#options
    if (cpu === 0) this.#try(work, reply, this.#options.attempts, undefined)
    else this.#cores.compute(cpu, () => this.#try(work, reply, this.#options.attempts, undefined))
  }

  #try(
    work: Work,
    reply: (outcome: Outcome) => void,
    attempts: number,
    except: Upstream | undefined
  ): void {
    const upstream = this.#pick(except)
    if (upstream === undefined) return reply("unreachable")
    upstream.active++
    const end = (outcome: Outcome) => {
      upstream.active--
      if (outcome === "unreachable" && attempts > 1) {
        return this.#try(work, reply, attempts - 1, upstream)
      }
      reply(outcome)
    }
    const { connectTimeout, latency } = this.#options
    if (upstream.isCut) {
      this.#simulation.after(connectTimeout, () => end("unreachable"))
      return
    }
    this.#simulation.after(latency, () =>
      upstream.replica.serve(work, (outcome) => this.#simulation.after(latency, () => end(outcome)))
    )
  }

  #pick(except: Upstream | undefined): Upstream | undefined {
    const { length } = this.upstreams
    let best: Upstream | undefined
    const first = this.#turn++
    for (let i = 0; i < length; i++) {
      const upstream = this.upstreams[(first + i) % length]!
      if (!upstream.isHealthy || upstream === except) continue
      if (this.#options.policy === "roundRobin") {
        this.#turn = (first + i + 1) % length
        return upstream
      }
      if (best === undefined || upstream.active < best.active) best = upstream
    }
    return best
  }

  #check(upstream: Upstream): void {
    const { fall, interval, rise } = this.#options
    if (!upstream.isCut && upstream.replica.isReady) {
      upstream.failed = 0
      if (++upstream.passed >= rise) upstream.isHealthy = true
    } else {
      upstream.passed = 0
      if (++upstream.failed >= fall) upstream.isHealthy = false
    }
    this.#simulation.after(interval, () => this.#check(upstream))
  }
}

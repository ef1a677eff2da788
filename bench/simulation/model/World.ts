/** Puts the parts together: clients, a load balancer, replicas and a database. */
import * as Balancer from "./Balancer.ts"
import * as Clients from "./Clients.ts"
import { Cores } from "./Cores.ts"
import { Database } from "./Database.ts"
import { Random } from "./Random.ts"
import { Recorder } from "./Recorder.ts"
import * as Replica from "./Replica.ts"
import { Simulation } from "./Simulation.ts"

export interface Options {
  readonly balancer?: Partial<Balancer.Options>
  readonly clients?: Partial<Clients.Options>
  readonly databaseCores?: number
  readonly maxConnections?: number
  readonly replica?: Partial<Replica.Options>
  readonly replicas: number
  readonly seed: number
  /** Cores that all processes and the database share. Default: each replica and the database have their own. */
  readonly sharedCores?: number
  readonly work: (random: Random) => Replica.Work
}

export interface World {
  readonly balancer: Balancer.Balancer
  readonly clients: Clients.Clients
  readonly database: Database
  readonly random: Random
  readonly recorder: Recorder
  readonly replicas: ReadonlyArray<Replica.Replica>
  readonly simulation: Simulation
}

export const make = (options: Options): World => {
  const simulation = new Simulation()
  const random = new Random(options.seed)
  const shared =
    options.sharedCores === undefined ? undefined : new Cores(simulation, options.sharedCores)
  const own = (count: number) => shared ?? new Cores(simulation, count)
  const database = new Database(
    simulation,
    own(options.databaseCores ?? 8),
    options.maxConnections ?? 100
  )
  const settings = { ...Replica.defaults, ...options.replica }
  const replicas = Array.from(
    { length: options.replicas },
    (_, index) => new Replica.Replica(simulation, own(1), database, settings, index)
  )
  const balancer = new Balancer.Balancer(simulation, own(8), random.fork(), replicas, {
    ...Balancer.defaults,
    ...options.balancer
  })
  const recorder = new Recorder()
  const clients = new Clients.Clients(
    simulation,
    random.fork(),
    recorder,
    (work, reply) => balancer.send(work, reply),
    options.work,
    { retry: Clients.once, timeout: 2000, ...options.clients }
  )
  return { balancer, clients, database, random, recorder, replicas, simulation }
}

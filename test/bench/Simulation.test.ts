import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { file, part, seed } from "../../bench/simulation/Document.ts"
import { filled } from "../../bench/simulation/Markdown.ts"
import { Cores, Loop } from "../../bench/simulation/model/Cores.ts"
import { Database } from "../../bench/simulation/model/Database.ts"
import { Pool } from "../../bench/simulation/model/Pool.ts"
import { Queue, Simulation } from "../../bench/simulation/model/Simulation.ts"
import { print, type Result, type Scenario, tableOf } from "../../bench/simulation/Scenario.ts"
import { scenarios } from "../../bench/simulation/scenarios/index.ts"

const root = join(import.meta.dirname, "../..")

const command = (...parameters: ReadonlyArray<string>) =>
  execFileSync(process.execPath, ["bench/simulation/run.ts", ...parameters], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"]
  })

describe("virtual time", () => {
  it("runs events in the order of their times, and those of one time as they were added", () => {
    const simulation = new Simulation()
    const seen: Array<string> = []
    const add = (time: number, name: string) => simulation.at(time, () => seen.push(name))
    add(3, "c")
    add(1, "a")
    add(3, "d")
    add(2, "b")
    add(9, "too late")
    simulation.runUntil(5)
    expect(seen).toEqual(["a", "b", "c", "d"])
    expect(simulation.now).toBe(5)
  })

  it("runs no event that was taken back", () => {
    const simulation = new Simulation()
    const event = simulation.at(1, () => expect.unreachable())
    event.run = undefined
    simulation.runUntil(2)
    expect(simulation.events).toBe(0)
  })

  it("keeps the order of a long queue", () => {
    const queue = new Queue<number>()
    const seen: Array<number | undefined> = []
    for (let i = 0; i < 5000; i++) {
      queue.push(i)
      if (i % 2 === 1) seen.push(queue.shift())
    }
    while (queue.size > 0) seen.push(queue.shift())
    expect(seen).toEqual(Array.from({ length: 5000 }, (_, i) => i))
    expect(queue.shift()).toBeUndefined()
  })
})

describe("resources", () => {
  it("two event loops on one core run one after the other", () => {
    const simulation = new Simulation()
    const cores = new Cores(simulation, 1)
    const ends = [0, 0].map((_, i) => {
      const loop = new Loop(simulation, cores)
      const result = { end: 0 }
      loop.post(() => {
        loop.compute(2 + i)
        result.end = loop.now
      })
      return result
    })
    simulation.runUntil(100)
    expect(ends.map(({ end }) => end)).toEqual([2, 5])
    expect(cores.busy).toBe(5)
  })

  it("a database refuses connections above its limit, and queries of a locked row wait", () => {
    const simulation = new Simulation()
    const database = new Database(simulation, new Cores(simulation, 4), 2)
    expect([database.connect(), database.connect(), database.connect()]).toEqual([
      true,
      true,
      false
    ])
    const ends: Array<number> = []
    for (let i = 0; i < 3; i++) {
      database.run({ cpu: 1, row: "a", wait: 4 }, () => ends.push(simulation.now))
    }
    simulation.runUntil(100)
    expect(ends).toEqual([5, 10, 15])
  })

  it("a pool serves those that wait in their order, and those that wait too long not at all", () => {
    const simulation = new Simulation()
    const database = new Database(simulation, new Cores(simulation, 1), 10)
    const pool = new Pool(simulation, database, 1, 100)
    const seen: Array<string> = []
    for (const name of ["a", "b", "c"]) {
      pool.acquire((result) => seen.push(`${name} ${result} ${simulation.now}`))
    }
    simulation.at(50, () => pool.release())
    simulation.runUntil(200)
    expect(seen).toEqual(["a acquired 0", "b acquired 50", "c timeout 100"])
    pool.close()
    expect(database.connections).toBe(1)
    pool.release()
    expect(database.connections).toBe(0)
  })
})

const results = new Map<string, Result>()

/** Runs a scenario once for each seed. */
const resultOf = ({ name, run }: Scenario, seed: number): Result => {
  const key = `${name} ${seed}`
  const result = results.get(key) ?? run({ replicas: undefined, seed })
  results.set(key, result)
  return result
}

// TEST_TICKS is the number of seeds; seed 1 is that of the document.
const seeds = Array.from({ length: Number(process.env["TEST_TICKS"] ?? 1) }, (_, i) => i + 1)

describe.each(scenarios)("scenario $name", (scenario) => {
  it.each(seeds)("has the outcomes that it claims, seed %i", (seed) => {
    const { claims } = resultOf(scenario, seed)
    expect(claims.length).toBeGreaterThan(0)
    expect(claims.filter(({ holds }) => !holds)).toEqual([])
  })
})

describe("the command", () => {
  it("prints the same bytes for the same seed, and others for another", () => {
    const first = command("steady", "hot-row", "--seed", "7")
    expect(command("steady", "hot-row", "--seed", "7")).toBe(first)
    expect(command("steady", "hot-row", "--seed", "8")).not.toBe(first)
    const steady = scenarios.find(({ name }) => name === "steady")!
    expect(first).toContain(print(steady, steady.run({ replicas: undefined, seed: 7 })))
  })

  it.each([
    [["stedy"], "There is no scenario stedy: write one of balancing"],
    [["--seed", "x"], "--seed x: write a whole number"],
    [["--replicas", "0"], "--replicas 0: write a whole number"]
  ])("refuses %j", (parameters, message) => {
    expect(() => command(...parameters)).toThrow(message)
  })
})

describe("docs/scale.md", () => {
  it("has the tables of the simulation with seed 1, and those of the calculator", () => {
    const document = readFileSync(file, "utf8")
    const names: Array<string> = []
    const expected = filled(document, (name) => {
      names.push(name)
      const scenario = scenarios.find((each) => each.name === name)
      return scenario === undefined ? part(name) : tableOf(resultOf(scenario, seed))
    })
    expect(document).toBe(expected)
    const known = ["costs", "example", ...scenarios.map(({ name }) => name)]
    expect(names.toSorted()).toEqual(known.toSorted())
  })
})

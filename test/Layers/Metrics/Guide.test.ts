import { readFileSync } from "node:fs"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { scrape } from "./everything.ts"
import { samplesOf } from "./samples.ts"

/** The labels that the samples of a histogram add. */
const added = new Set(["le"])

it.live("the guide lists the metrics of an app with every battery, with their labels", () =>
  Effect.gen(function* () {
    const guide = readFileSync(new URL("../../../docs/metrics.md", import.meta.url), "utf8")
    const listed = [...guide.matchAll(/^\| `(\w+_\w+)` +\|(.*?)\|/gm)].map(([, name, labels]) => [
      name!,
      [...labels!.matchAll(/\w+/g)].map(([label]) => label)
    ])
    const text = yield* scrape
    const families = [...text.matchAll(/^# TYPE (\S+)/gm)]
      .map(([, name]) => name!)
      // The guide shows one of the lines of the percentiles.
      .filter((name) => !/^nodejs_eventloop_delay_p\d+_seconds$/.test(name))
    const samples = samplesOf(text)
    const found = families.map((family) => [
      family,
      [
        ...new Set(
          samples
            .filter(
              ({ name }) =>
                name.replace(/_(?:bucket|count|sum)$/, "") === family.replace(/_count$/, "")
            )
            .flatMap(({ labels }) => Object.keys(labels))
            .filter((label) => !added.has(label))
        )
      ].sort()
    ])
    expect(listed).toEqual(found.sort(([a], [b]) => (a! < b! ? -1 : 1)))
  })
)

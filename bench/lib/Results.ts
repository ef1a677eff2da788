/** From single measurements to ratios by peer. */
import * as Peers from "./Peers.ts"
import { geometricMean, ratios, type Spread } from "./Statistics.ts"

export interface Row {
  /** What was measured: an endpoint, a number of routes. */
  readonly column: string
  readonly peer: string
  readonly perCpu: number
  readonly rate: number
  readonly round: number
}

export interface PeerResult {
  readonly columns: Readonly<
    Record<string, { readonly ratio: Spread; readonly values: ReadonlyArray<number> }>
  >
  readonly geometricMean: Spread
  readonly title: string
}

export type ByPeer = Readonly<Record<string, PeerResult>>

/** Ratios to the base of the same round and column. */
export const toRatios = (
  rows: ReadonlyArray<Row>,
  measure: "perCpu" | "rate",
  peers: ReadonlyArray<Peers.Peer>,
  columns: ReadonlyArray<string>
): ByPeer => {
  const valuesOf = (peer: string, column: string) =>
    rows
      .filter((row) => row.peer === peer && row.column === column)
      .sort((a, b) => a.round - b.round)
      .map((row) => row[measure])
  const meansOf = (peer: string) => {
    const all = columns.map((column) => valuesOf(peer, column))
    return all[0]!.map((_, round) => geometricMean(all.map((values) => values[round]!)))
  }
  return Object.fromEntries(
    peers.map(({ name, title }) => [
      name,
      {
        columns: Object.fromEntries(
          columns.map((column) => [
            column,
            {
              ratio: ratios(valuesOf(name, column), valuesOf(Peers.base, column)),
              values: valuesOf(name, column).map(Math.round)
            }
          ])
        ),
        geometricMean: ratios(meansOf(name), meansOf(Peers.base)),
        title
      }
    ])
  )
}

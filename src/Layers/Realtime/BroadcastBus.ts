/** What carries texts between replicas, and the bus of one process. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { BroadcastUnavailable } from "./BroadcastErrors.ts"

/** What a process does with the texts of an address. Its functions are synchronous and do not throw. */
export interface Listener {
  /**
   * Called when texts may have been missed, before the next one. `dropped` is how many, or undefined
   * after an outage, which nobody can count.
   */
  readonly onGap: (dropped: number | undefined) => void
  readonly onText: (text: string) => void
}

/** A text for the listeners of an address. */
export interface Letter {
  /** 43 characters of base64url. */
  readonly address: string
  readonly text: string
}

/** Carries texts between replicas. */
export interface Bus {
  /**
   * Whether `publish` takes part in the transaction of the calling fiber. Texts of other buses wait for
   * the commit before they are published.
   */
  readonly isTransactional: boolean
  /** Sends texts in their order. */
  readonly publish: (letters: ReadonlyArray<Letter>) => Effect.Effect<void, BroadcastUnavailable>
  /**
   * Listens until the scope closes. It succeeds when no later text can be missed without a gap: as soon as
   * the server has confirmed it, or after a limit of time, and then a gap follows when it has.
   */
  readonly subscribe: (
    address: string,
    listener: Listener
  ) => Effect.Effect<void, never, Scope.Scope>
}

/** Listeners by address. */
export class Listeners {
  readonly #all = new Map<string, Set<Listener>>()

  /** Adds a listener until the scope closes. */
  add(address: string, listener: Listener): Effect.Effect<void, never, Scope.Scope> {
    return Effect.acquireRelease(
      Effect.sync(() => {
        const found = this.#all.get(address)
        if (found === undefined) this.#all.set(address, new Set([listener]))
        else found.add(listener)
      }),
      () =>
        Effect.sync(() => {
          const found = this.#all.get(address)
          found?.delete(listener)
          if (found?.size === 0) this.#all.delete(address)
        })
    )
  }

  /** Gives a text to the listeners of its address. */
  deliver({ address, text }: Letter): void {
    for (const { onText } of this.#all.get(address) ?? []) onText(text)
  }
}

/** Makes a bus between the parts of one process. Several hubs may share it, as replicas do in a test. */
export const inProcess = (): Bus => {
  const listeners = new Listeners()
  return {
    isTransactional: false,
    publish: (letters) =>
      Effect.sync(() => {
        for (const letter of letters) listeners.deliver(letter)
      }),
    subscribe: (address, listener) => listeners.add(address, listener)
  }
}

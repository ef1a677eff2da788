/** What a library does in the benchmark of queues. One process of it fills the queue, another one works. */

/** Settings that all libraries share. */
export interface Settings {
  /** Handlers that may run at the same time. */
  readonly concurrency: number
  readonly database: string
  readonly redis: string
}

/** The process that fills the queue. */
export interface Producer {
  readonly close: () => Promise<void>
  /** Adds items with the fastest documented call. */
  readonly many: (data: ReadonlyArray<object>) => Promise<void>
  /** Adds one item, and returns after it is stored. */
  readonly one: (data: object) => Promise<void>
}

/** A library. */
export interface Kind {
  readonly produce: (settings: Settings) => Promise<Producer>
  /** Handles items until the process ends. Returns when it is ready for them. */
  readonly work: (settings: Settings, handle: (data: object) => Promise<void>) => Promise<void>
}

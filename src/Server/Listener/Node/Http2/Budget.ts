/** What a connection may send beside its requests. */

/** The most frames in a burst. */
const burst = 1000

/** The frames per second after a burst. */
const rate = 100

/**
 * Counts the frames that cost the server work and bring no request: cancelled streams, pings, settings
 * and announcements of the end (GOAWAY). A client that sends more of them than any honest one is cut off.
 */
export class Budget {
  #at = performance.now()
  #left = burst

  /** Takes one frame. Returns whether the connection stays within its budget. */
  take(): boolean {
    const now = performance.now()
    this.#left = Math.min(burst, this.#left + ((now - this.#at) * rate) / 1000) - 1
    this.#at = now
    return this.#left >= 0
  }
}

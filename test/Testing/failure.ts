import { AssertionError } from "node:assert"
import { expect } from "vitest"

/** The assertion error that a function throws. */
export const failure = (run: () => unknown): AssertionError => {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(AssertionError)
    return error as AssertionError
  }
  throw new Error("It did not fail")
}

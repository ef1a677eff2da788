/**
 * The handover of an app: a program that imports the file of an app gets the app that the file
 * would run.
 */
import type * as AppDefinition from "./AppDefinition.ts"

/** The key of the receiver. Copies of this module in one process share it. */
const key = Symbol.for("flange/Handover")

type Receive = (app: AppDefinition.Any) => void

const holder = globalThis as { [key]?: Receive | undefined }

/** Hands an app over. Returns whether there was a receiver. */
export const give = (app: AppDefinition.Any): boolean => {
  const receive = holder[key]
  receive?.(app)
  return receive !== undefined
}

/** Runs `load`, and passes the apps that its modules run to `receive`. */
export const during = async <A>(receive: Receive, load: () => Promise<A>): Promise<A> => {
  holder[key] = receive
  try {
    return await load()
  } finally {
    delete holder[key]
  }
}

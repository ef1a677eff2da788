/** The messages between the process of `flange dev` and the processes that run the app. */
import type { AddressInfo, ListenOptions } from "node:net"
import type { Report } from "../../Plugin/Companion.ts"

/** The name of the listener of the app, which no port has. */
export const appName = ""

/** Where an app serves requests. */
export interface Ready {
  readonly address: string | undefined
  /** The addresses of its ports by name. */
  readonly ports: Readonly<Record<string, string | undefined>>
}

/** Why the app does not run. */
export interface Failure {
  /** The address at which the app would listen, if its configuration can be read. */
  readonly address: ListenOptions | undefined
  /** Whether plugins had begun to start: another start may have held what they need. */
  readonly began: boolean
  /** The file and line of the error, such as `/home/ada/shop/src/app.ts:7`. */
  readonly place: string | undefined
  /** The message, with what to do. */
  readonly text: string
}

/** A message of a worker. */
export type FromWorker =
  /** Asks for a companion. */
  | { readonly companion: { readonly argument: string; readonly program: string } }
  /** An exception that nothing caught: the app is about to end. */
  | { readonly crashed: Pick<Failure, "place" | "text"> }
  /** The app could not be loaded or started. */
  | { readonly failed: Failure }
  /** Asks to listen for the listener of the app, whose name is empty, or for a port of this name. */
  | { readonly listen: { readonly name: string; readonly options: ListenOptions } }
  /** The app is loaded, and nothing is started. */
  | { readonly loaded: true }
  /** The URLs of modules that were loaded since the last such message. */
  | { readonly modules: ReadonlyArray<string> }
  /** The app serves requests at these addresses. */
  | { readonly ready: Ready }

/** A message to a worker. */
export type ToWorker =
  /** Starts the loaded app. `isBrief`: the next start waits for its drain. */
  | { readonly boot: { readonly isBrief: boolean } }
  /** The answer to `companion`. */
  | { readonly companion: Report }
  /** The socket that comes with the message is a connection to the listener of this name. */
  | { readonly connection: string }
  /** The answer to `listen`. */
  | { readonly listening: Listening }
  /** Loads the app of a file. */
  | { readonly load: string }
  /** Loads modules of packages, before there is an app to load. */
  | { readonly preload: ReadonlyArray<string> }
  /** Drains and ends. */
  | { readonly stop: true }

/** The address of a socket, or the code of the error with which it cannot listen. */
export type Listening =
  | { readonly address: AddressInfo | string | null }
  | { readonly code: string | undefined }

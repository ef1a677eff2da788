/** The variables of a process that has an environment of its own, and not that of Vitest. */

/**
 * Has the commands of this machine, and the folder where Node keeps what it has compiled. Without the
 * folder, each process removes the types of every source and compiles it.
 */
export const bareEnvironment: Readonly<Record<string, string | undefined>> = {
  NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
  PATH: process.env["PATH"]
}

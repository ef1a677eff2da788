/** Addresses that only processes of the same machine reach. */

/** Checks whether only processes of this machine can connect to the host. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host)

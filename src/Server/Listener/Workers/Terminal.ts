/** The terminal that controls a process. */
import { closeSync, openSync } from "node:fs"

/**
 * Checks whether this process has a terminal that is still open. The kernel takes it away before it sends
 * the SIGHUP of its end.
 */
export const isOpen = (): boolean => {
  try {
    closeSync(openSync("/dev/tty", "r"))
    return true
  } catch {
    return false
  }
}

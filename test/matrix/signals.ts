/**
 * Under Deno `ChildProcess.kill` loses the exit code of the process: it has `null`, and the signal. `process.kill` does
 * not, and a test that runs there wants the code.
 */
import { ChildProcess } from "node:child_process"

ChildProcess.prototype.kill = function (signal) {
  if (this.pid === undefined || this.exitCode !== null || this.signalCode !== null) return false
  return process.kill(this.pid, signal)
}

/** The versions of Node on which apps run. */

/** The oldest version, as in the `engines` of package.json. */
export const oldest = "22.20.0"

/** Returns why an app cannot run on this version of Node; undefined if it can. */
export const problem = (version: string): string | undefined => {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  const [oldestMajor, oldestMinor] = oldest.split(".").map(Number) as [number, number]
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)
    ? undefined
    : `This app needs Node ${oldest} or newer, and ${process.execPath} is Node ${version}. Install a newer Node, or add one to the project with "npm install -D node@24" and start the app with "npx node".`
}

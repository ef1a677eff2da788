/** The deployment files of a new project: those of Flange, with the name of the project. */
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as Manifest from "../../Manifest.ts"
import type { Files, Project } from "../Project.ts"

/** The files of `deploy` that a service in a cluster needs. */
const isTaken = (path: string): boolean => /^(?:Dockerfile.*|k8s\/.+\.yaml)$/.test(path)

export const files = ({ name }: Project): Files => {
  const folder = new URL("deploy/", Manifest.folder)
  const paths = readdirSync(fileURLToPath(folder), { encoding: "utf8", recursive: true })
    .map((path) => path.replaceAll("\\", "/"))
    .filter(isTaken)
    .sort()
  return Object.fromEntries(
    paths.map((path) => [
      `deploy/${path}`,
      readFileSync(new URL(path, folder), "utf8").replaceAll("my-app", name)
    ])
  )
}

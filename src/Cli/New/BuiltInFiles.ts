/** The files of the built-in templates. */
import * as Agents from "./Files/Agents.ts"
import * as App from "./Files/App.ts"
import * as Auth from "./Files/Auth.ts"
import * as Ci from "./Files/Ci.ts"
import * as Configuration from "./Files/Configuration.ts"
import * as Deploy from "./Files/Deploy.ts"
import * as Editor from "./Files/Editor.ts"
import * as Hello from "./Files/Hello.ts"
import * as Items from "./Files/Items.ts"
import * as Package from "./Files/Package.ts"
import * as Readme from "./Files/Readme.ts"
import * as RoutesLock from "./Files/RoutesLock.ts"
import * as Tools from "./Files/Tools.ts"
import type { Files, Project } from "./Project.ts"

const common = [
  Agents.files,
  App.files,
  Ci.files,
  Configuration.files,
  Editor.files,
  Package.files,
  Readme.files,
  RoutesLock.files,
  Tools.files
]

const api = [...common, Auth.files, Items.files]

const parts: Readonly<Record<Project["template"], ReadonlyArray<(project: Project) => Files>>> = {
  api,
  full: [...api, Deploy.files],
  minimal: [...common, Hello.files]
}

/** Returns the files of a project of a built-in template. */
export const files = (project: Project): Files =>
  Object.assign({}, ...parts[project.template].map((part) => part(project)))

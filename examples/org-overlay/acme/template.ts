/** The template of new services: `flange new shop --template @acme/flange/template`. */
import { Template } from "flange/Cli"

const appOf = (name: string) => `/** The app: a list of plugins. */
import { preset } from "@acme/flange"
import { App } from "flange"
import { HelloPlugin } from "./hello/HelloPlugin.ts"

export const app = App.make("${name}", [...preset, HelloPlugin])
`

export const template = Template.make({
  description: "A service of Acme, with its preset",
  files: ({ answers: { team }, ...project }) => ({
    ...Template.files({
      ...project,
      plugins: [{ from: "@acme/flange", name: "DefaultsPlugin", version: "^1.0.0" }],
      template: "minimal"
    }),
    CODEOWNERS: `* @acme/${team}\n`,
    "src/app.ts": appOf(project.name)
  }),
  questions: {
    team: Template.choice({
      choices: { people: "people and their hours", sales: "offers and orders" },
      default: "sales",
      message: "Which team owns it?"
    })
  }
})

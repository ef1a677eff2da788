/** The settings of VS Code: the compiler of the project, the formatter, the linter. */
import type { Files } from "../Project.ts"

export const files = (): Files => ({
  ".vscode/extensions.json": `{
  "recommendations": ["oxc.oxc-vscode", "typescriptteam.native-preview"]
}
`,
  ".vscode/settings.json": `{
  "editor.defaultFormatter": "oxc.oxc-vscode",
  "editor.formatOnSave": true,
  "js/ts.experimental.useTsgo": true,
  "js/ts.tsdk.path": "./node_modules/typescript/bin",
  "js/ts.tsdk.promptToUseWorkspaceVersion": true
}
`
})

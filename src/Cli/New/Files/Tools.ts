/** The settings of the compiler, of the linter, of the formatter, of the tests and of git. */
import type { Files } from "../Project.ts"

export const files = (): Files => ({
  ".gitignore": `.env
.env.*
!.env.example
.flange/
*.log
*.tsbuildinfo
coverage/
dist/
node_modules/
`,
  ".oxfmtrc.json": `{
  "$schema": "./node_modules/oxfmt/configuration_schema.json",
  "ignorePatterns": ["dist", "openapi.json", "packages/*-client"],
  "printWidth": 100,
  "semi": false,
  "sortImports": {
    "newlinesBetween": false,
    "groups": [
      "builtin",
      "external",
      ["internal", "subpath"],
      ["parent", "sibling", "index"],
      "unknown"
    ]
  },
  "trailingComma": "none"
}
`,
  ".oxlintrc.json": `{
  "$schema": "./node_modules/oxlint/configuration_schema.json",
  "categories": { "correctness": "error", "suspicious": "error" },
  "env": { "builtin": true, "node": true },
  "ignorePatterns": ["dist", "openapi.json", "packages/*-client"],
  "plugins": ["import", "oxc", "typescript", "unicorn"],
  "rules": {
    "eslint/no-underscore-dangle": "off",
    "eslint/no-unused-vars": ["error", { "argsIgnorePattern": "^_", "varsIgnorePattern": "^_" }],
    "eslint/sort-keys": ["error", "asc", { "natural": true }],
    "require-yield": "off",
    "typescript/consistent-type-imports": "error",
    "unicorn/prefer-node-protocol": "error"
  }
}
`,
  "tsconfig.json": `{
  "compilerOptions": {
    "allowImportingTsExtensions": true,
    "erasableSyntaxOnly": true,
    "exactOptionalPropertyTypes": true,
    "lib": ["ES2024", "ESNext.Disposable"],
    "module": "nodenext",
    "noEmit": true,
    "noUnusedLocals": true,
    "noUnusedParameters": true,
    "plugins": [
      {
        "name": "@effect/language-service",
        "diagnosticSeverity": { "effectFnImplicitAny": "off" }
      }
    ],
    "skipLibCheck": true,
    "strict": true,
    "types": ["node"],
    "verbatimModuleSyntax": true
  },
  "include": ["src", "test", "tools", "vitest.config.ts"]
}
`,
  "vitest.config.ts": `import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    // A slow machine starts the embedded database slowly.
    hookTimeout: 60_000,
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000
  }
})
`
})

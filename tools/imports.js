// Lint rule for imports. `imports/namespace`: a namespace import has one name in all files, that
// of its module: `Order` for "./Plugin/Order.ts", `Config` for "../Config/index.ts", `Schema` for
// "effect/Schema", `Auth` for "flange/Auth/Contract", `Http` for "node:http". If a file has
// another `Config` of its own, "effect/Config" is `EffectConfig` there.
import { dirname, resolve } from "node:path"

const pascal = (text) => text.replace(/(?:^|_)(\w)/g, (_, letter) => letter.toUpperCase())

const nameOf = (specifier, file) => {
  const path = specifier.startsWith(".") ? resolve(dirname(file), specifier) : specifier
  const parts = path.replace(/\.[jt]s$/, "").split("/")
  if (parts[0].startsWith("node:")) return pascal(parts.at(-1).replace("node:", ""))
  if (parts[0] === "flange") return parts[1]
  return parts.at(-1) === "index" ? parts.at(-2) : parts.at(-1)
}

const namespace = {
  create: (context) => ({
    ImportNamespaceSpecifier: (node) => {
      const specifier = node.parent.source.value
      const name = nameOf(specifier, context.filename)
      const isTaken = context.sourceCode.getScope(node).set.has(name)
      const expected = isTaken && specifier.startsWith("effect/") ? `Effect${name}` : name
      if (node.local.name === name || node.local.name === expected) return
      context.report({
        message: `Import "${specifier}" as ${expected}. If that reads badly, rename the file.`,
        node
      })
    }
  })
}

export default {
  meta: { name: "imports" },
  rules: { namespace }
}

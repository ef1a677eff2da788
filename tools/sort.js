// Lint rules with autofix that hold alphabetical order where order carries no meaning:
// `export ... from` statements, named imports and exports, union members, and the members of
// interfaces and object types. Imports themselves are sorted by the formatter. Object literals
// are left alone: in code and schemas their order has meaning.

const fold = (text) => text.toLowerCase().replace(/^~/, "!")

/** Compares without case, numbers by value, and `~internal` keys before others. */
export const compare = (a, b) => {
  if (/^-?\d+$/.test(a) && /^-?\d+$/.test(b)) return Number(a) - Number(b)
  const [x, y] = [fold(a), fold(b)]
  if (x !== y) return x < y ? -1 : 1
  return a === b ? 0 : a < b ? -1 : 1
}

const spaceless = (text) => text.replace(/\s+/g, " ")

/** The first item that stands after one it should precede, with the sorted order. */
const misplaced = (items, order) => {
  const sorted = [...items].sort(order)
  const at = items.findIndex((item, i) => i > 0 && order(items[i - 1], item) > 0)
  return at < 0 ? undefined : { after: items[at - 1], item: items[at], sorted }
}

const byKey = (a, b) => compare(a.key, b.key)

/** Reports the run of `{ key, node }` and reorders it, each item with the comments above it. */
const checkRun = (context, run, start, what) => {
  const found = misplaced(run, byKey)
  if (!found) return
  const text = context.sourceCode.getText()
  context.report({
    fix: (fixer) => {
      let from = start
      const parts = run.map(({ key, node }) => {
        const separator = /[;,]?$/.exec(text.slice(node.range[0], node.range[1]))[0]
        const trailing = /^[ \t]*(\/\/[^\n]*|\/\*[^\n]*?\*\/(?=[ \t]*\n))?/.exec(
          text.slice(node.range[1])
        )
        const comment = trailing[1] ? trailing[0] : ""
        const part = {
          body: text.slice(from, node.range[1] - separator.length),
          comment,
          key,
          separator
        }
        from = node.range[1] + comment.length
        return part
      })
      // At the start of a file the first item has no line break to take along.
      const startsLine = (part) => /^\s*\n/.test(part.body)
      const bare = !startsLine(parts[0]) && startsLine(parts[1])
      if (bare) parts[0].body = `\n${parts[0].body}`
      const sorted = [...parts].sort(byKey)
      const result = sorted.map((part, i) => part.body + parts[i].separator + part.comment).join("")
      return fixer.replaceTextRange([start, from], bare ? result.replace(/^\s*\n/, "") : result)
    },
    message: `Sort ${what}: "${found.item.key}" comes before "${found.after.key}".`,
    node: found.item.node
  })
}

/** Splits a list into runs of items with a key; an item without one ends its run. */
const runs = (context, nodes, start, keyOf, what) => {
  let run = []
  let from = start
  const flush = () => {
    if (run.length > 1) checkRun(context, run, from, what)
    run = []
  }
  for (const node of nodes) {
    const key = keyOf(node)
    if (key === undefined) {
      flush()
      from = node.range[1]
    } else run.push({ key, node })
  }
  flush()
}

const exportStatements = {
  create: (context) => ({
    Program: (program) => {
      // A file's first comment belongs to the file, so a run starts at its first statement.
      const { body } = program
      const keyOf = (node) =>
        /^Export(All|Named)Declaration$/.test(node.type) && node.source
          ? `${node.source.value} ${node.exportKind}`
          : undefined
      let rest = body
      while (rest.length > 0) {
        const first = rest.findIndex((node) => keyOf(node) !== undefined)
        if (first < 0) return
        const next = rest.findIndex((node, i) => i > first && keyOf(node) === undefined)
        const group = rest.slice(first, next < 0 ? undefined : next)
        const before = rest[first - 1]
        const comments = context.sourceCode.getCommentsBefore(group[0])
        const own = comments.at(-1)
        const attached =
          own &&
          !/\n\s*\n/.test(context.sourceCode.getText().slice(own.range[1], group[0].range[0]))
        runs(
          context,
          group,
          before ? before.range[1] : attached ? own.range[0] : group[0].range[0],
          keyOf,
          "exports"
        )
        if (next < 0) return
        rest = rest.slice(next)
      }
    }
  }),
  meta: { fixable: "code" }
}

const name = (node) => (node.type === "Literal" ? String(node.value) : node.name)

/** The range of a node with the parentheses around it, which the syntax tree leaves out. */
const withParentheses = (text, [start, end]) => {
  const before = /\(\s*$/.exec(text.slice(0, start))
  const after = /^\s*\)/.exec(text.slice(end))
  if (!before || !after) return [start, end]
  return withParentheses(text, [before.index, end + after[0].length])
}

const checkInPlace = (context, nodes, order, what) => {
  const source = context.sourceCode.getText()
  const items = nodes.map((node) => {
    const range = nodes.length > 1 ? withParentheses(source, node.range) : node.range
    return { key: context.sourceCode.getText(node), node, range, text: source.slice(...range) }
  })
  const found = misplaced(items, order)
  if (!found) return
  const inside = [items[0].range[0], items.at(-1).range[1]]
  const commented = context.sourceCode
    .getAllComments()
    .some((c) => c.range[0] >= inside[0] && c.range[1] <= inside[1])
  context.report({
    ...(!commented && {
      fix: (fixer) =>
        items.map((item, i) => fixer.replaceTextRange(item.range, found.sorted[i].text))
    }),
    message: `Sort ${what}: "${spaceless(found.item.text)}" comes before "${spaceless(found.after.text)}".`,
    node: found.item.node
  })
}

const specifiers = {
  create: (context) => ({
    ExportNamedDeclaration: (node) =>
      checkInPlace(
        context,
        node.specifiers,
        (a, b) => compare(name(a.node.exported), name(b.node.exported)),
        "named exports"
      ),
    ImportDeclaration: (node) =>
      checkInPlace(
        context,
        node.specifiers.filter((s) => s.type === "ImportSpecifier"),
        (a, b) => compare(name(a.node.imported), name(b.node.imported)),
        "named imports"
      )
  }),
  meta: { fixable: "code" }
}

const typeMembers = {
  create: (context) => {
    const check = (node, members) => {
      const keyOf = (member) => {
        if (member.type !== "TSPropertySignature" && member.type !== "TSMethodSignature") return
        const key = context.sourceCode.getText(member.key)
        return member.computed ? `[${key}]` : key.replace(/^["']|["']$/g, "")
      }
      runs(context, members, node.range[0] + 1, keyOf, "type members")
    }
    return {
      TSInterfaceBody: (node) => check(node, node.body),
      TSTypeLiteral: (node) => check(node, node.members)
    }
  },
  meta: { fixable: "code" }
}

// `null` and `undefined` close a union.
const rank = (node) =>
  node.type === "TSNullKeyword" ? 1 : node.type === "TSUndefinedKeyword" ? 2 : 0

const unions = {
  create: (context) => ({
    TSUnionType: (node) =>
      checkInPlace(
        context,
        node.types,
        (a, b) =>
          rank(a.node) - rank(b.node) ||
          compare(spaceless(a.key).replace(/^"/, ""), spaceless(b.key).replace(/^"/, "")),
        "union members"
      )
  }),
  meta: { fixable: "code" }
}

export default {
  meta: { name: "sort" },
  rules: { exports: exportStatements, specifiers, "type-members": typeMembers, unions }
}

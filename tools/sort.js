// Lint rules with autofix that hold alphabetical order where order carries no meaning:
// `export ... from` statements, named imports and exports, union members, members of interfaces
// and object types, option objects, members of a contract, and switch cases. Imports themselves
// are sorted by the formatter. A comment `In this order: <reason>` above the first item opts out.

const fold = (text) => text.toLowerCase().replace(/^~/, "!")

/** Compares without case, numbers by value, and `~internal` keys before others. */
export const compare = (a, b) => {
  if (/^-?\d+$/.test(a) && /^-?\d+$/.test(b)) return Number(a) - Number(b)
  const [x, y] = [fold(a), fold(b)]
  if (x !== y) return x < y ? -1 : 1
  return a === b ? 0 : a < b ? -1 : 1
}

const spaceless = (text) => text.replace(/\s+/g, " ")

/** Returns the first item that should come before its predecessor, with the sorted order. */
const misplaced = (items, order) => {
  const sorted = [...items].sort(order)
  const at = items.findIndex((item, i) => i > 0 && order(items[i - 1], item) > 0)
  return at < 0 ? undefined : { after: items[at - 1], item: items[at], sorted }
}

const byKey = (a, b) => compare(a.key, b.key)

/** Checks whether the comment above the first item opts out of sorting. */
const isOrdered = (context, first) =>
  context.sourceCode
    .getCommentsBefore(first)
    .some(({ value }) => /^[\s*]*In this order: \S/.test(value))

const trailingComment = /^[ \t]*(?:\/\/[^\n]*|\/\*[^\n]*?\*\/(?=[ \t]*\n))/

/** Where the items of a list start: after its bracket, and after a comment on the bracket's line. */
const listStart = (context, first) => {
  const start = context.sourceCode.getTokenBefore(first).range[1]
  const comment = trailingComment.exec(context.sourceCode.getText().slice(start, first.range[0]))
  return start + (comment ? comment[0].length : 0)
}

/**
 * Returns the texts of a run, each item with the comments above it and the comment on its last
 * line.
 */
const partsOf = (text, run, start) => {
  let from = start
  return run.map(({ key, node }) => {
    const [begin, end] = node.range
    const inner = /[;,]?$/.exec(text.slice(begin, end))[0]
    const separator = inner || /^,?/.exec(text.slice(end))[0]
    const next = inner ? end : end + separator.length
    const comment = trailingComment.exec(text.slice(next))?.[0] ?? ""
    const part = {
      body: text.slice(from, end - inner.length),
      comment,
      gap: text.slice(from, begin),
      key,
      separator
    }
    from = next + comment.length
    return { ...part, end: from }
  })
}

/** Checks that only comments are between the items: no parentheses and no late comma. */
const isMovable = ({ gap }) => !/\S/.test(gap.replace(/\/\/[^\n]*|\/\*[^]*?\*\//g, ""))

/** Reports the run of `{ key, node }` and reorders it, each item with its comments. */
const checkRun = (context, run, start, what) => {
  const found = misplaced(run, byKey)
  if (!found) return
  const text = context.sourceCode.getText()
  const parts = partsOf(text, run, start)
  const { end } = parts.at(-1)
  context.report({
    ...(parts.every(isMovable) && {
      fix: (fixer) => {
        // The first item of a file has no line break before it, and every item after a line comment
        // needs one.
        const startsLine = (part) => /^\s*\n/.test(part.body)
        const bare = !startsLine(parts[0]) && startsLine(parts[1])
        const commented = parts.some(({ comment }) => /^\s*\/\//.test(comment))
        const follows = /\/\/[^\n]*$/.test(text.slice(0, start))
        for (const part of parts) {
          if ((bare || commented || follows) && !startsLine(part)) part.body = `\n${part.body}`
        }
        const result = [...parts]
          .sort(byKey)
          .map(({ body, comment }, i) => body + parts[i].separator + comment)
          .join("")
        return fixer.replaceTextRange(
          [start, end],
          (bare && !follows ? result.replace(/^\s*\n/, "") : result) +
            (commented && !/^\s*(\n|$)/.test(text.slice(end)) ? "\n" : "")
        )
      }
    }),
    message: `Sort ${what}: "${found.item.key}" comes before "${found.after.key}".`,
    node: found.item.node
  })
}

/** Splits a list into runs of items with a key; an item without one ends its run. */
const runs = (context, nodes, start, keyOf, what) => {
  let run = []
  let from = start
  const flush = () => {
    if (run.length > 1 && !isOrdered(context, run[0].node)) checkRun(context, run, from, what)
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
  if (!found || isOrdered(context, nodes[0])) return
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
    const check = (members) => {
      const keyOf = (member) => {
        if (member.type !== "TSPropertySignature" && member.type !== "TSMethodSignature") return
        const key = context.sourceCode.getText(member.key)
        return member.computed ? `[${key}]` : key.replace(/^["']|["']$/g, "")
      }
      if (members.length > 1) {
        runs(context, members, listStart(context, members[0]), keyOf, "type members")
      }
    }
    return {
      TSInterfaceBody: ({ body }) => check(body),
      TSTypeLiteral: ({ members }) => check(members)
    }
  },
  meta: { fixable: "code" }
}

// `null` and `undefined` come last in a union.
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

// Arguments (`callee#position`) whose members are run, written or declared in turn.
const readsOrder =
  /^(HttpApiSchema|JSON|Object|Record|Schema|sql|z)\b|\.(all|json|jsonUnsafe)#|\bsection#1$/

// Expressions whose evaluation order can be observed.
const effects =
  /^(Assignment|Await|Sequence|Update|Yield)Expression$|^(Class|Import)Expression$|^delete$/

/** Checks whether evaluating the node has an effect. Functions are not entered. */
const hasEffect = (node) => {
  if (Array.isArray(node)) return node.some(hasEffect)
  if (typeof node?.type !== "string" || /Function/.test(node.type)) return false
  if (effects.test(node.type) || effects.test(node.operator)) return true
  return Object.entries(node).some(([key, child]) => key !== "parent" && hasEffect(child))
}

const isIdentifier = (text) => /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(text)

/** Whether the members can change places. Keys that need quotes are data. */
const isOptions = ({ properties }) => {
  const plain = properties.every(
    (property) =>
      property.type === "Property" && !property.computed && isIdentifier(name(property.key))
  )
  if (!plain || hasEffect(properties)) return false
  return new Set(properties.map(({ key }) => name(key))).size === properties.length
}

const options = {
  create: (context) => {
    const check = ({ arguments: given, callee }) => {
      // A call of a call makes a class, whose fields have an order.
      if (callee.type === "CallExpression") return
      const called = context.sourceCode.getText(callee)
      for (const [at, node] of given.entries()) {
        if (node.type !== "ObjectExpression" || node.properties.length < 2) continue
        if (readsOrder.test(`${called}#${at}`)) continue
        if (!isOptions(node)) continue
        const { properties } = node
        const start = listStart(context, properties[0])
        runs(context, properties, start, ({ key }) => name(key), "options")
      }
    }
    return { CallExpression: check, NewExpression: check }
  },
  meta: { fixable: "code" }
}

/** The call that a chain of calls begins with: `A.make("x")` of `A.make("x").add(B).middleware(C)`. */
const firstCall = (node) => {
  const { callee } = node
  if (callee?.type !== "MemberExpression") return
  return callee.object.type === "Identifier" ? node : firstCall(callee.object)
}

const contracts = {
  create: (context) => ({
    CallExpression: ({ arguments: given, callee }) => {
      if (given.length < 2 || callee.property?.name !== "add") return
      if (!/^HttpApi(Group)?$/.test(firstCall(callee.object)?.callee.object.name)) return
      const keyOf = (node) => {
        if (node.type === "Identifier") return node.name
        const first = firstCall(node)
        if (!/^HttpApi(Endpoint|Group)$/.test(first?.callee.object.name)) return
        const [identifier] = first.arguments
        return identifier?.type === "Literal" ? String(identifier.value) : undefined
      }
      runs(context, given, listStart(context, given[0]), keyOf, "members of a contract")
    }
  }),
  meta: { fixable: "code" }
}

/** Whether control never leaves the end of the statement. */
const isEnd = (node) => {
  if (node?.type === "BlockStatement") return isEnd(node.body.at(-1))
  if (node?.type === "IfStatement") return isEnd(node.consequent) && isEnd(node.alternate)
  return /^(Break|Continue|Return|Throw)Statement$/.test(node?.type)
}

const cases = {
  create: (context) => ({
    SwitchStatement: ({ cases: all }) => {
      const last = all.findIndex(({ test }) => test === null)
      const labels = all.flatMap(({ test }) => test ?? [])
      const isSortable =
        (last < 0 || last === all.length - 1) &&
        labels.every(({ type }) => type === "Literal") &&
        new Set(labels.map(name)).size === labels.length &&
        all.every(({ consequent, test }, i) => {
          // The last case may lack a jump, so it cannot be moved up. A last `default` stays where
          // it is.
          if (i === all.length - 1 && test === null) return true
          return (consequent.length === 0 && i < all.length - 1) || isEnd(consequent.at(-1))
        })
      if (!isSortable || isOrdered(context, all[0])) return
      // Labels without statements of their own form a unit with the case that they fall into.
      const units = []
      for (const [i, node] of all.entries()) {
        if (i > 0 && all[i - 1].consequent.length === 0) units.at(-1).push(node)
        else units.push([node])
      }
      const byLabel = (a, b) => compare(name(a.node), name(b.node))
      const nodes = units.map((unit) => {
        const tests = unit.flatMap(({ test }) => test ?? [])
        if (tests.length > 1) checkInPlace(context, tests, byLabel, "case labels")
        const isDefault = unit.some(({ test }) => test === null)
        const key = isDefault ? undefined : tests.map(name).sort(compare)[0]
        return { key, range: [unit[0].range[0], unit.at(-1).range[1]] }
      })
      runs(context, nodes, listStart(context, all[0]), ({ key }) => key, "cases")
    }
  }),
  meta: { fixable: "code" }
}

export default {
  meta: { name: "sort" },
  rules: {
    cases,
    contracts,
    exports: exportStatements,
    options,
    specifiers,
    "type-members": typeMembers,
    unions
  }
}

/** The metrics and labels that an expression of PromQL uses. */

/** A metric in an expression. */
export interface Use {
  /** The labels that have to be equal to a text. */
  readonly equal: Record<string, string>
  /** The labels of all matchers. */
  readonly labels: Array<string>
  readonly name: string
}

/** The parts of an expression that name metrics and labels. */
export interface Expression {
  /** The labels that aggregations keep. */
  readonly grouped: Array<string>
  /** The labels that `label_replace` makes. */
  readonly made: Array<string>
  readonly uses: Array<Use>
}

const token = /"(?:[^"\\]|\\.)*"|[a-zA-Z_:$][\w:]*|\d[\w.]*|=~|!~|!=|\S/g

const grouping = new Set(["by", "ignoring", "on", "without"])

const operators = new Set(["and", "bool", "offset", "or", "unless"])

/** Reads an expression. */
export const read = (expression: string): Expression => {
  const tokens = [...expression.matchAll(token)].map(([text]) => text)
  const found: Expression = { grouped: [], made: [], uses: [] }
  const skipTo = (end: string, i: number) => tokens.indexOf(end, i)
  const text = (quoted: string) => quoted.slice(1, -1)
  for (let i = 0; i < tokens.length; i++) {
    const word = tokens[i]!
    const next = tokens[i + 1]
    if (word === "[") i = skipTo("]", i)
    else if (!/^[a-zA-Z_:]/.test(word) || operators.has(word)) continue
    else if (grouping.has(word)) {
      const end = skipTo(")", i)
      found.grouped.push(...tokens.slice(i + 2, end).filter((label) => label !== ","))
      i = end
    } else if (next === "(" || grouping.has(next ?? "")) {
      // Its label is the text behind the vector.
      if (word === "label_replace") found.made.push(/\), "(\w+)"/.exec(expression)![1]!)
    } else {
      const use: Use = { equal: {}, labels: [], name: word }
      found.uses.push(use)
      if (next !== "{") continue
      const end = skipTo("}", i)
      for (let at = i + 2; at < end; at += 4) {
        const [label, operator, value] = tokens.slice(at, at + 3)
        use.labels.push(label!)
        if (operator === "=") use.equal[label!] = text(value!)
      }
      i = end
    }
  }
  return found
}

/** Compiles templates with Eta: its parser and its code, with values printed by the rules of their place. */
import { compileFunction, Script } from "node:vm"
import type { Eta } from "eta/core"
import * as Thrown from "../../Config/Thrown.ts"
import type { Compiled } from "./Compiled.ts"
import * as Mentions from "./Mentions.ts"
import { type Place, Reader } from "./Place.ts"
import { TemplateError } from "./TemplateError.ts"

/** The names that the code of a template may use. */
const parameters = ["it", "__eta", "block", "include", "json", "layout", "output"]

/** The letters of the methods of `Page` that print in a place. */
const methods: Readonly<Record<Place, string>> = {
  address: "p",
  attribute: "a",
  name: "n",
  script: "s",
  style: "c",
  text: "e",
  url: "u"
}

/** Returns the text of a template for a string of its parse, which is written as in a literal. */
const literal = (text: string): string =>
  text.replaceAll(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char))

/**
 * Matches the begin of a block with content for the case that the page does not define it. A later tag ends
 * it, so it cannot be an argument of a method of `Page`. What `block` returns is markup.
 */
const opensBlock = /^block\(\s*(?:"[^"\\]*"|'[^'\\]*')\s*,\s*(?:\(\)\s*=>|function\s*\(\))\s*\{$/

/** Returns the line of the template in whose tag the code has a syntax error. */
const lineOf = (code: string): number | undefined => {
  const options = { filename: "template" }
  const script = `[function (${parameters.join(", ")}) {${code}\n}]`
  // An error of the first has no line on Bun. The second has none for code that ends its function and begins another.
  return (
    lineOfError(code, () => compileFunction(code, parameters, options)) ??
    lineOfError(code, () => new Script(script, options))
  )
}

/** Returns the line of the tag at which `parse` fails. */
const lineOfError = (code: string, parse: () => unknown): number | undefined => {
  try {
    parse()
    return undefined
  } catch (error) {
    const at = error instanceof Error ? /^template:(\d+)/.exec(error.stack ?? "") : null
    const before = code.split("\n").slice(0, at === null ? 0 : Number(at[1]) - 1)
    const lines = [...before.join("\n").matchAll(/^__eta\.line=(\d+)$/gm)]
    return lines.length === 0 ? undefined : Number(lines.at(-1)![1])
  }
}

/** Compiles a template, or returns what is wrong with it. */
export const compile = (eta: Eta, name: string, text: string): Compiled | TemplateError => {
  const failed = (reason: string, line: number | undefined) =>
    new TemplateError({ line, reason, template: name })
  const reader = new Reader()
  const fields: Array<Mentions.Mention> = []
  const templates: Array<Mentions.Mention> = []
  let declaresIt = false
  let body: string
  try {
    const nodes = eta.parse(text)
    for (const [i, node] of nodes.entries()) {
      if (typeof node === "string") {
        const before = nodes[i - 1]
        // A line that has a tag without output only is no line of the page.
        const shown =
          typeof before === "object" && before.t === "e" ? node.replace(/^\\n/, "") : node
        nodes[i] = shown
        reader.read(literal(shown))
        continue
      }
      const { lineNo: line = 1, t: type, val } = node
      declaresIt ||= Mentions.declaresIt(val)
      fields.push(...Mentions.fieldsIn(val, line))
      templates.push(...Mentions.templatesIn(val, line))
      if (type === "e") {
        if (!reader.isInText && Mentions.callsOutput(val)) {
          const reason =
            "it calls output in a tag, a comment, a script or the like, where the rules of the place are those of <%= ... %>. Write that"
          return failed(reason, line)
        }
        reader.branch()
        continue
      }
      const place = reader.print()
      if (place === "text" && opensBlock.test(val)) {
        node.t = "r"
        continue
      }
      if (type === "r" && place === "text") {
        node.val = `__eta.r(${val}\n)`
        continue
      }
      if (typeof place === "object") return failed(place.refused, line)
      node.t = "r"
      const more = place === "address" ? `, ${JSON.stringify(reader.quote)}` : ""
      node.val = `__eta.${methods[place]}(${val}\n${more})`
    }
    body = eta.compileBody(nodes)
  } catch (error) {
    const [reason = ""] = Thrown.messageOf(error).split("\n")
    const at = / at line (\d+) col \d+:?$/.exec(reason)
    return failed(
      `${at === null ? reason : reason.slice(0, at.index)}. Correct the tag`,
      at === null ? undefined : Number(at[1])
    )
  }
  try {
    // The block lets a template declare variables with the names of the functions.
    const code = `"use strict";{\n${body}}`
    // eslint-disable-next-line typescript/no-implied-eval -- a template is code of the app
    const run = new Function(...parameters, code) as Compiled["run"]
    return { fields: declaresIt ? [] : fields, name, run, templates }
  } catch (error) {
    return failed(
      `its code cannot be compiled: ${Thrown.messageOf(error)}. Correct the code in its tags`,
      lineOf(`"use strict";{\n${body}}`)
    )
  }
}

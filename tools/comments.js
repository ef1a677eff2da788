// Lint rules for comments. `comments/header`: a file starts with the doc comment of its module,
// where neither the formatter nor `sort/exports` moves it. `comments/stars`: every line inside a
// doc comment starts with ` *`.

/**
 * An import or a blank line follows the header. Otherwise the header would document a declaration.
 */
const header = /^(?:#![^\n]*\n)?\/\*\*(?:[^*]|\*(?!\/))*\*\/\n(?:\n|import\b)/

const moduleHeader = {
  create: (context) => ({
    Program: (node) => {
      if (header.test(context.sourceCode.getText())) return
      context.report({
        message:
          "Start the file with the doc comment of its module, /** ... */, and put a blank line after it.",
        node
      })
    }
  })
}

const star = /^ *\*(?: |$)/

const end = /^ *(?:\* .*)?$/

const stars = {
  create: (context) => ({
    Program: () => {
      for (const comment of context.sourceCode.getAllComments()) {
        if (comment.type !== "Block" || !comment.value.startsWith("*")) continue
        const lines = comment.value.split("\n").slice(1)
        // The last line is the one that closes the comment.
        if (lines.every((line, i) => (i + 1 < lines.length ? star : end).test(line))) continue
        context.report({
          loc: comment.loc,
          message: 'Start every line of a doc comment with " *".'
        })
      }
    }
  })
}

export default {
  meta: { name: "comments" },
  rules: { header: moduleHeader, stars }
}

/**
 * The places of HTML in which a template prints values. Each has its own rules for values, because escaping
 * alone does not make a value safe in all of them. Source: HTML Living Standard, section 13.2.5.
 *
 * The text of a template is read in the order of its file, without what its tags do. A condition that changes
 * in which place the text behind it is, such as one around half of a tag, is not understood. One in front of the
 * text of an address is.
 */

/**
 * Where a value is printed.
 *
 * - `address`: in an attribute that has an address, where only the page shows whether its scheme has ended
 * - `attribute`: in quotes, in the value of an attribute, or in a comment, `title` or `textarea`
 * - `name`: in a tag, outside of the values of attributes
 * - `script`: in `script` or `style`
 * - `style`: in the attribute `style`
 * - `text`: between tags
 * - `url`: at the start of an attribute that has an address
 */
export type Place = "address" | "attribute" | "name" | "script" | "style" | "text" | "url"

/** A place in which no value is safe: why, and what to write. */
export interface Refused {
  readonly refused: string
}

const addresses: ReadonlySet<string> = new Set([
  "action",
  "background",
  "cite",
  "data",
  "formaction",
  "href",
  "icon",
  "manifest",
  "ping",
  "poster",
  "src",
  "xlink:href"
])

/** The attributes of `animate` and `set` that may become the address of the element around them. */
const animated: ReadonlySet<string> = new Set(["by", "from", "to", "values"])

/** Elements whose content has no tags, by what a value in them is. */
const raw: ReadonlyMap<string, Place> = new Map([
  ["iframe", "attribute"],
  ["noembed", "attribute"],
  ["noframes", "attribute"],
  ["script", "script"],
  ["style", "script"],
  ["textarea", "attribute"],
  ["title", "attribute"],
  ["xmp", "attribute"]
])

/** The first characters of an address, which have its scheme. */
const maxScheme = 1000

/** The begin of an address that is code. */
const code = /^(?:javascript:|vbscript:|data:text\/html)/i

const isSpace = (char: string): boolean => /[\t\n\f\r ]/.test(char)

type State =
  | "afterName"
  | "attributeName"
  | "beforeValue"
  | "comment"
  | "inTag"
  | "quoted"
  | "raw"
  | "tagName"
  | "text"
  | "unquoted"

/** Reads the text of a template, and returns the places of its values. */
export class Reader {
  #attribute = ""
  /** Whether the value of an attribute has only values so far. */
  #isValueEmpty = true
  #hasPrinted = false
  /** Whether a value is part of the name of the attribute. */
  #isNameComputed = false
  /** Whether a tag without output is in front of the text of the value, or in the comment. */
  #isUncertain = false
  #quote = ""
  #raw = ""
  #state: State = "text"
  #tag = ""
  /** The text of the value behind the last value that decides about the scheme of an address. */
  #text = ""

  /** The quote of the attribute that is read. */
  get quote(): string {
    return this.#quote
  }

  /** Whether what is read next is between tags. */
  get isInText(): boolean {
    return this.#state === "text"
  }

  /**
   * Reads a tag without output, such as a condition. The text behind it may be missing on the page, and in a
   * comment the begin of the comment.
   */
  branch(): void {
    if (this.#state === "comment" || (this.#state === "quoted" && this.#isValueEmpty)) {
      this.#isUncertain = true
    }
  }

  /** Reads text between two tags of the template. */
  read(text: string): void {
    for (let i = 0; i < text.length; i++) i += this.#step(text, i)
  }

  /** Returns the place of a value that is printed here. */
  print(): Place | Refused {
    switch (this.#state) {
      case "afterName":
      case "inTag":
        this.#attribute = ""
        this.#isNameComputed = true
        this.#state = "attributeName"
        return "name"
      case "attributeName":
        this.#isNameComputed = true
        return "name"
      case "beforeValue":
      case "unquoted":
        return {
          refused: `the value of the attribute ${this.#attribute} has no quotes, so a space in it begins another attribute. Write ${this.#attribute}="<%= ... %>"`
        }
      case "comment":
        return this.#isUncertain
          ? {
              refused:
                "a condition is in the comment, so it is not known whether the value is. Write the comment without one, or leave it out"
            }
          : "attribute"
      case "quoted":
        return this.#inAttribute()
      case "raw":
        return raw.get(this.#raw) ?? "attribute"
      case "tagName":
        return {
          refused: "the name of an element is computed. Write the elements in a condition"
        }
      case "text":
        return "text"
    }
  }

  #inAttribute(): Place | Refused {
    const name = this.#attribute
    if (this.#isNameComputed) {
      return {
        refused:
          "the name of the attribute is computed, so it is not known what its value means. Write the name"
      }
    }
    if (name.startsWith("on") || name === "srcdoc") {
      return {
        refused: `the attribute ${name} is code, which escaping does not make safe. Write a data- attribute, and read it in a script`
      }
    }
    if (name === "style") return "style"
    const isAnimation = this.#tag === "animate" || this.#tag === "set"
    if (!addresses.has(name) && !(isAnimation && animated.has(name))) return "attribute"
    if (code.test(this.#text)) {
      return {
        refused: `the address in ${name} is code, which escaping does not make safe. Write a data- attribute, and read it in a script`
      }
    }
    if (this.#isUncertain) return "address"
    if (this.#hasPrinted) {
      if (!this.#isValueEmpty) return /[#/?]/.test(this.#text) ? "attribute" : "address"
      return {
        refused: `the address in ${name} begins with two values. Write one expression for both`
      }
    }
    if (!this.#isValueEmpty) return "attribute"
    this.#hasPrinted = true
    return "url"
  }

  #beginAttribute(char: string): void {
    this.#attribute = char.toLowerCase()
    this.#isNameComputed = false
    this.#state = "attributeName"
  }

  #endTag(): void {
    const name = this.#tag
    this.#state = raw.has(name) ? "raw" : "text"
    this.#raw = name
  }

  /** Reads a character, and returns how many more it has read. */
  #step(text: string, i: number): number {
    const char = text[i]!
    switch (this.#state) {
      case "afterName":
        if (char === "=") this.#state = "beforeValue"
        else if (char === ">") this.#endTag()
        else if (char === "/") this.#state = "inTag"
        else if (!isSpace(char)) this.#beginAttribute(char)
        return 0
      case "attributeName":
        if (char === "=") this.#state = "beforeValue"
        else if (char === ">") this.#endTag()
        else if (char === "/") this.#state = "inTag"
        else if (isSpace(char)) this.#state = "afterName"
        else this.#attribute += char.toLowerCase()
        return 0
      case "beforeValue":
        if (isSpace(char)) return 0
        if (char === ">") this.#endTag()
        else if (char === '"' || char === "'") this.#beginValue(char)
        else this.#state = "unquoted"
        return 0
      case "comment": {
        const end = /^--!?>/.exec(text.slice(i, i + 4))
        if (end === null) return 0
        this.#state = "text"
        return end[0].length - 1
      }
      case "inTag":
        if (char === ">") this.#endTag()
        else if (char !== "/" && !isSpace(char)) this.#beginAttribute(char)
        return 0
      case "quoted":
        if (char === this.#quote) this.#state = "inTag"
        // Browsers leave these out of an address.
        else if (char > " ") {
          this.#isValueEmpty = false
          if (this.#text.length < maxScheme) this.#text += char
        }
        return 0
      case "raw":
        return this.#inRaw(text, i)
      case "tagName":
        if (char === ">") this.#endTag()
        else if (char === "/" || isSpace(char)) this.#state = "inTag"
        else this.#tag += char.toLowerCase()
        return 0
      case "text":
        return this.#inText(text, i)
      case "unquoted":
        if (char === ">") this.#endTag()
        else if (isSpace(char)) this.#state = "inTag"
        return 0
    }
  }

  #beginValue(quote: string): void {
    this.#hasPrinted = false
    this.#isUncertain = false
    this.#isValueEmpty = true
    this.#quote = quote
    this.#state = "quoted"
    this.#text = ""
  }

  #inRaw(text: string, i: number): number {
    const end = `</${this.#raw}`
    if (text.slice(i, i + end.length).toLowerCase() !== end) return 0
    if (!/^[\t\n\f\r />]/.test(text.slice(i + end.length, i + end.length + 1))) return 0
    this.#tag = ""
    this.#state = "inTag"
    return end.length - 1
  }

  #inText(text: string, i: number): number {
    if (text[i] !== "<") return 0
    const comment = /^<!--(-?>)?/.exec(text.slice(i, i + 6))
    if (comment !== null) {
      if (comment[1] === undefined) {
        this.#isUncertain = false
        this.#state = "comment"
      }
      return comment[0].length - 1
    }
    const isEnd = text[i + 1] === "/"
    const next = text[i + (isEnd ? 2 : 1)]
    if (next === undefined || /[A-Za-z!?]/.test(next)) {
      // The name of an end tag is not that of an element with raw content.
      this.#tag = isEnd ? "/" : ""
      this.#state = "tagName"
      return isEnd ? 1 : 0
    }
    return 0
  }
}

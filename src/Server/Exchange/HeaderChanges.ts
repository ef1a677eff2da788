/** Headers that are set on a reply in front of its handler, and how they are put together with its own. */
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type { Plan } from "./Plan.ts"
import * as PreparedReply from "./PreparedReply.ts"
import * as ReplyHeaders from "./ReplyHeaders.ts"
import * as RequestId from "./RequestId.ts"

/** The request whose reply has the headers. */
interface Owner {
  readonly plan: Pick<Plan, "constant" | "headers" | "isBare">
  readonly requestId: string
}

/** Lines that are set and added. */
interface Lines {
  readonly added?: ReadonlyArray<string> | undefined
  readonly set?: ReadonlyArray<string> | undefined
}

// Nothing is ever added to it.
const none: Array<string> = []

/** The headers that are set on a reply in front of its handler. Lines are names and values in turn. */
export class HeaderChanges {
  #added = none
  /** Headers that are set unless the reply has them. None of them is a list header. */
  #defaults = none
  #set = none
  /** Whether two of these headers have one name, or one has a name that every reply has. */
  #overlap = false
  readonly #owner: Owner

  constructor(owner: Owner) {
    this.#owner = owner
  }

  /** Adds a value to a header that is a list. */
  append(field: string, value: string): void {
    const name = field.toLowerCase()
    if (ReplyHeaders.isFraming(name) || name === RequestId.header) return
    this.#overlap ||= name === "content-type" || (name !== "set-cookie" && this.#has(name))
    if (this.#added === none) this.#added = []
    this.#added.push(name, value)
  }

  /** Sets a header. */
  set(field: string, value: string): void {
    const name = field.toLowerCase()
    if (name === "set-cookie" || name === "vary") return this.append(name, value)
    if (ReplyHeaders.isFraming(name) || name === RequestId.header) return
    this.#overlap ||= name === "content-type" || this.#has(name)
    if (this.#set === none) this.#set = []
    this.#set.push(name, value)
  }

  /** Sets a header unless the reply has it. `name` is in lower case, and the header is no list. */
  setDefault(name: string, value: string): void {
    this.#overlap ||= this.#has(name)
    if (this.#defaults === none) this.#defaults = []
    this.#defaults.push(name, value)
  }

  /** Sets and adds lines. */
  change({ added = none, set = none }: Lines): void {
    for (let i = 0; i < set.length; i += 2) this.set(set[i]!, set[i + 1]!)
    for (let i = 0; i < added.length; i += 2) this.append(added[i]!, added[i + 1]!)
  }

  /** Removes those that cannot be sent. */
  removeInvalid(): void {
    this.#added = ReplyHeaders.sendable(this.#added)
    this.#defaults = ReplyHeaders.sendable(this.#defaults)
    this.#set = ReplyHeaders.sendable(this.#set)
  }

  /** Returns the same headers, for changes that may not come to the reply. */
  copy(): HeaderChanges {
    const copy = new HeaderChanges(this.#owner)
    if (this.#added !== none) copy.#added = this.#added.slice()
    if (this.#defaults !== none) copy.#defaults = this.#defaults.slice()
    copy.#overlap = this.#overlap
    if (this.#set !== none) copy.#set = this.#set.slice()
    return copy
  }

  /** Checks whether a reply's own headers and these have to be merged. */
  overlaps(own: ReadonlyArray<string>): boolean {
    if (this.#overlap) return true
    for (let i = 0; i < own.length; i += 2) {
      if (own[i] === RequestId.header || this.#has(own[i]!)) return true
    }
    return false
  }

  /** Returns all lines of a reply, the constant ones included. */
  merged(own: ReadonlyArray<string>): Array<string> {
    const { plan, requestId } = this.#owner
    const set = plan.isBare ? this.#set : [...this.#set, RequestId.header, requestId]
    return ReplyHeaders.merge(own, { added: this.#added, set }, this.#constant)
  }

  /** Adds these headers to lines that they do not overlap. The constant ones are not among them. */
  pushTo(own: Array<string>): Array<string> {
    const { plan, requestId } = this.#owner
    if (this.#set !== none) own.push(...this.#set)
    if (this.#defaults !== none) own.push(...this.#defaults)
    if (this.#added !== none) own.push(...this.#added)
    if (!plan.isBare) own.push(RequestId.header, requestId)
    return own
  }

  /** Returns what a prepared response has in place of the constant lines; see `PreparedReply`. */
  prepared(response: HttpServerResponse): ReadonlyArray<string> | undefined {
    if (this.#overlap || this.#added !== none) return undefined
    const lines = this.#defaults === none ? this.#set : [...this.#defaults, ...this.#set]
    return PreparedReply.linesFor(response, this.#owner.plan, lines)
  }

  /** Returns the value that a header of the reply will have. */
  valueOf(name: string, own: ReadonlyArray<string>): string | undefined {
    const changes = { added: this.#added, set: this.#set }
    return ReplyHeaders.valueOf(name, own, changes, this.#constant)
  }

  /** The lines that are left out if the reply has others of their name. */
  get #constant(): ReadonlyArray<string> {
    const { headers } = this.#owner.plan
    if (this.#defaults === none) return headers
    const others = headers.filter((_, i) => !this.#defaults.includes(headers[i - (i % 2)]!))
    return [...this.#defaults, ...others]
  }

  /** Checks whether the reply has a header of this name already. */
  #has(name: string): boolean {
    return (
      this.#owner.plan.constant.has(name) ||
      this.#added.includes(name) ||
      this.#defaults.includes(name) ||
      this.#set.includes(name)
    )
  }
}

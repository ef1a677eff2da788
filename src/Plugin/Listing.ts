/** Names in the compiler's messages. */

/** One member of a union. The compiler chooses which. */
export type One<Union> = (
  Union extends unknown ? (take: (member: Union) => void) => void : never
) extends (take: infer Take) => void
  ? Take extends (member: infer Member) => void
    ? Member
    : never
  : never

/**
 * The names of a union in one string, each in backticks: `` `a`, `b` ``. After six names it ends
 * with "and more". A union of strings itself would be cut by the compiler.
 */
export type Listing<
  Names extends string,
  Text extends string = "",
  Count extends ReadonlyArray<unknown> = []
> = [Names] extends [never]
  ? Text
  : Count["length"] extends 6
    ? `${Text} and more`
    : One<Names> extends infer Name extends string
      ? Listing<
          Exclude<Names, Name>,
          Text extends "" ? `\`${Name}\`` : `\`${Name}\`, ${Text}`,
          [...Count, Name]
        >
      : never

/** Whether a union has one member. */
export type IsOne<Union, Each = Union> = Each extends unknown
  ? [Union] extends [Each]
    ? true
    : false
  : never

/** `it` for one name, and `them` for several. */
export type It<Names> = IsOne<Names> extends true ? "it" : "them"

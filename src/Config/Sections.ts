import { type Problem, problemAt } from "./ConfigError.ts"
import type { AnySection } from "./Section.ts"
import { forbiddenKeys } from "./Tree.ts"

const reserved: ReadonlySet<string> = new Set([...forbiddenKeys, "env", "environments"])

/** The sections without repetitions, and a problem for every name that is unusable or taken. */
export const uniqueSections = (
  sections: ReadonlyArray<AnySection>
): { readonly problems: ReadonlyArray<Problem>; readonly unique: ReadonlyArray<AnySection> } => {
  const byName = new Map<string, AnySection>()
  const problems: Array<Problem> = []
  for (const section of sections) {
    const name = section.sectionName
    const other = byName.get(name)
    if (reserved.has(name) || !/^[A-Za-z][A-Za-z0-9_-]*$/.test(name)) {
      problems.push(
        problemAt(
          name,
          "sections",
          "a name of letters, digits, - and _ that is not reserved",
          `The section name ${JSON.stringify(name)} is ${reserved.has(name) ? "reserved" : "not a key"}: ` +
            "choose a name of letters, digits, - and _."
        )
      )
    } else if (other === undefined) {
      byName.set(name, section)
    } else if (other !== section) {
      problems.push(
        problemAt(
          name,
          "sections",
          "one section of each name",
          `Two different sections are called ${name}: rename one, or share one declaration.`
        )
      )
    }
  }
  return { problems, unique: [...byName.values()] }
}

/** The singular of English plurals. */

/** Plurals that follow no rule, and those whose rule would be another one. */
const irregular: Readonly<Record<string, string>> = {
  aliases: "alias",
  analyses: "analysis",
  appendices: "appendix",
  atlases: "atlas",
  avalanches: "avalanche",
  biases: "bias",
  caches: "cache",
  calves: "calf",
  canoes: "canoe",
  canvases: "canvas",
  children: "child",
  cookies: "cookie",
  crises: "crisis",
  criteria: "criterion",
  diagnoses: "diagnosis",
  elves: "elf",
  excuses: "excuse",
  feet: "foot",
  gases: "gas",
  geese: "goose",
  halves: "half",
  headaches: "headache",
  hypotheses: "hypothesis",
  indices: "index",
  irises: "iris",
  knives: "knife",
  leaves: "leaf",
  lenses: "lens",
  lies: "lie",
  lives: "life",
  loaves: "loaf",
  matrices: "matrix",
  media: "medium",
  men: "man",
  mice: "mouse",
  movies: "movie",
  niches: "niche",
  oases: "oasis",
  parentheses: "parenthesis",
  people: "person",
  phenomena: "phenomenon",
  pies: "pie",
  quizzes: "quiz",
  scarves: "scarf",
  selfies: "selfie",
  shelves: "shelf",
  shoes: "shoe",
  syntheses: "synthesis",
  teeth: "tooth",
  theses: "thesis",
  thieves: "thief",
  ties: "tie",
  toes: "toe",
  vertices: "vertex",
  wives: "wife",
  wolves: "wolf",
  women: "woman",
  zombies: "zombie"
}

/** Words whose plural is the same. */
const unchanged: ReadonlySet<string> = new Set(
  "aircraft audio equipment feedback fish hardware information metadata money news series sheep software species staff".split(
    " "
  )
)

/** Plurals of two words, such as `axes` of axe and axis, and singulars that look like a plural. */
const unclear: ReadonlySet<string> = new Set([
  ...Object.values(irregular),
  "axes",
  "bases",
  "chaos",
  "ellipses"
])

/** The endings of plurals, and what the singular ends with instead. The first that fits is used. */
const endings: ReadonlyArray<readonly [plural: RegExp, singular: string]> = [
  [/([^aeiou])ies$/, "$1y"],
  [/(ss|sh|ch|x|tz|zz)es$/, "$1"],
  [/([^aeiou])oes$/, "$1o"],
  // The `e` of house, clause, fuse and use is not that of the plural.
  [/([aof]use|^use)s$/, "$1"],
  [/(us|ias)es$/, "$1"],
  [/([^siu])s$/, "$1"]
]

/**
 * Returns the singular of a word in lower case; undefined if it is no plural, or that of two words.
 */
export const of = (plural: string): string | undefined => {
  if (unchanged.has(plural)) return plural
  if (Object.hasOwn(irregular, plural)) return irregular[plural]
  const ending = unclear.has(plural) ? undefined : endings.find(([end]) => end.test(plural))
  return ending && plural.replace(...ending)
}

import { App } from "flange"
import { tier } from "./support/Arguments.ts"

if (tier === "bare") {
  const { bare } = await import("./effect/FlangeBare.ts")
  App.run(bare)
} else {
  const { production } = await import("./effect/FlangeProduction.ts")
  App.run(production)
}

/** The HTTP contract of an app. */
import * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as ErrorEnvelope from "../Contract/ErrorEnvelope.ts"
import type * as Contribution from "./Contribution.ts"
import type * as Plugin from "./Plugin.ts"
import * as Role from "./Role.ts"

/**
 * Creates the contract of a list of plugins. It has the groups of their routes in the
 * order of the list, and the annotations that plugins add with `annotate`. It has the app's error
 * envelope, which the server, the OpenAPI document and the typed client read. A raw route has no
 * group. Groups that no process of the role `server` serves are not in the OpenAPI document.
 */
export const make = (
  id: string,
  plugins: ReadonlyArray<Plugin.Any>,
  errors?: ErrorEnvelope.ErrorEnvelope
): HttpApi.Top => {
  // An `HttpApi` names its groups in its type; here they are known at run time only.
  const empty = HttpApi.make(id) as unknown as HttpApi.Top
  const [first, ...rest] = plugins
    .flatMap(({ manifest }) => manifest.contributions)
    .flatMap((contribution) => (hasGroup(contribution) ? [documented(contribution)] : []))
  // One call: every `add` copies the groups before it.
  const api = first === undefined ? empty : (empty.add(first, ...rest) as HttpApi.Top)
  const whole = plugins.reduce((api, { manifest }) => manifest.annotate?.(api) ?? api, api)
  return errors === undefined ? whole : whole.annotate(ErrorEnvelope.Envelope, errors)
}

type WithGroup = Contribution.Any & { readonly group: HttpApiGroup.Top }

const documented = (contribution: WithGroup): HttpApiGroup.Top =>
  Role.carriesOut("server", contribution)
    ? contribution.group
    : contribution.group.annotate(OpenApi.Exclude, true)

const hasGroup = (contribution: Contribution.Any): contribution is WithGroup =>
  "group" in contribution && contribution.group !== undefined

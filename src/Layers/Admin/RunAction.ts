/** The actions of the app, as the admin port lists and runs them. */
import * as Effect from "effect/Effect"
import type * as JsonSchema from "effect/JsonSchema"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import {
  AdminActionFailed,
  AdminActionNotFound,
  AdminActionRefused
} from "../../Contract/AdminErrors.ts"
import * as OwnKeys from "../../Contract/OwnKeys.ts"
import * as Action from "../../Plugin/Action.ts"
import type { AppRuntimeShape } from "../../Plugin/AppRuntime.ts"

/** Returns the JSON Schema of what a schema takes; null if there is none. */
const jsonSchemaOf = (schema: Schema.Top): JsonSchema.JsonSchema | null => {
  if (SchemaAST.isVoid(schema.ast) || SchemaAST.isNever(schema.ast)) return null
  try {
    const { definitions, schema: own } = Schema.toJsonSchemaDocument(schema)
    return Object.keys(definitions).length === 0 ? own : { ...own, $defs: definitions }
  } catch {
    // Such as a schema of a class without a form in JSON.
    return null
  }
}

const actionsOf = ({ contributions }: AppRuntimeShape) => contributions(Action.kind)

const byName = (a: { readonly name: string }, b: { readonly name: string }) =>
  a.name < b.name ? -1 : 1

/** Returns the actions of the app, by name. */
export const list = (runtime: AppRuntimeShape) =>
  actionsOf(runtime)
    .map(({ data, name, plugin }) => ({
      error: jsonSchemaOf(data.error),
      name,
      payload: jsonSchemaOf(data.payload),
      plugin,
      success: jsonSchemaOf(data.success)
    }))
    .sort(byName)

const encodeError = ({ error: schema }: Action.Any, error: unknown) =>
  // The schemas of an action may use any service of the app, and a request has all of them.
  OwnKeys.encodeUnknownEffect(Schema.toCodecJson(schema))(error) as Effect.Effect<
    unknown,
    Schema.SchemaError
  >

/** Runs an action with a payload in JSON. A failure that the action does not declare is a defect. */
export const run = (runtime: AppRuntimeShape, name: string, payload: unknown) =>
  Effect.gen(function* () {
    const actions = actionsOf(runtime)
    const found = actions.find((action) => action.name === name)
    if (found === undefined) {
      return yield* new AdminActionNotFound({
        action: name,
        actions: actions.map((action) => action.name).sort()
      })
    }
    const result = yield* Effect.catch(found.value(payload), (error) =>
      Effect.gen(function* () {
        if (error instanceof Action.ActionPayloadError) {
          return yield* new AdminActionRefused({ action: name, issues: error.issues })
        }
        const encoded = yield* Effect.orDie(encodeError(found.data, error))
        return yield* new AdminActionFailed({ action: name, error: encoded })
      })
    )
    return { result: result ?? null }
  })

// Envelopes whose functions do not fit their schema.
import * as Schema from "effect/Schema"
import { App, ErrorEnvelope } from "flange"

const schema = Schema.Struct({ error: Schema.String })

export const body = ErrorEnvelope.make({ decode: ({ error }) => ({ code: error }), encode: ({ code }) => ({ eror: code }), schema })
// ^ expect: Property 'error' is missing in type '{ eror: string; }'

export const code = ErrorEnvelope.make({ decode: ({ error }) => ({ detail: error }), encode: ({ code }) => ({ error: code }), schema })
// ^ expect: Property 'code' is missing in type '{ detail: string; }' but required in type 'Decoded'

export const app = App.make("shop", [], { errors: ({ code }: ErrorEnvelope.Problem) => code })
// ^ expect: is not assignable to type 'ErrorEnvelope'

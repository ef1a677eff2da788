// The options of tsconfig.json that the types of this package rely on.

export const first: string = ["a"][0]
// ^ expect: Type 'undefined' is not assignable to type 'string'

export const options: { readonly port?: number } = { port: undefined }
// ^ expect: with 'exactOptionalPropertyTypes: true'

export enum Color {}
// ^ expect: not allowed when 'erasableSyntaxOnly' is enabled

export const port: number = "80"
// ^ expect: Type 'string' is not assignable to type 'number'

export const point: { readonly at: { readonly x: number } } = { at: { x: "1" } }
// ^ expect: Type 'string' is not assignable

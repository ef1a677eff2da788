export const port: number = 80
// ^ expect: Type 'string' is not assignable to type 'number'

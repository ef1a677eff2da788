export const port: number = "80"
// ^ expect: Property 'port' is missing

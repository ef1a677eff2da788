/** The shapes of the contract for the peers whose usual validator is zod. */
import { z } from "zod"

export const Id = z.object({ id: z.coerce.number().int() })

export const Verbose = z.object({
  verbose: z
    .enum(["false", "true"])
    .transform((value) => value === "true")
    .optional()
})

export const Echo = z.object({
  name: z.string().min(1).max(100),
  age: z.number().int(),
  tags: z.array(z.string())
})

export const NewItemShape = z.object({
  name: z.string().min(1).max(100),
  price: z.number().min(0),
  tags: z.array(z.string())
})

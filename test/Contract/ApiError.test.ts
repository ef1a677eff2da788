import { describe, expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { ApiError } from "flange"

/** An error whose code and status the types do not know. */
const error = (code: string, status: number) => () =>
  ApiError.make<Error>()("Computed", { code, detail: "", status })

describe("ApiError.make", () => {
  it.each([399, 200, 0, -404, 404.5, 600, 1000, Number.NaN, Number.POSITIVE_INFINITY])(
    "refuses the status %s",
    (status) => {
      expect(error("COMPUTED", status)).toThrow(
        `The status of error "Computed" is ${status}. Use an integer from 400 to 599.`
      )
    }
  )

  it.each([400, 451, 599])("takes the status %s", (status) => {
    expect(error("COMPUTED", status)).not.toThrow()
  })

  it.each(["", "lower", "Mixed_CASE", "_A", "A_", "A__B", "A-B", "1A", "A B", "\u00c4"])(
    "refuses the code %j",
    (code) => {
      expect(error(code, 404)).toThrow(`The code of error "Computed" is "${code}". Use capitals`)
    }
  )

  it.each(["A", "NOT_FOUND", "HTTP_2_ONLY"])("takes the code %j", (code) => {
    expect(error(code, 404)).not.toThrow()
  })

  it.each(["code", "correlationId", "detail", "instance", "status", "title", "type"])(
    "refuses a field with the name of the member %s, which would be sent although it is hidden",
    (name) => {
      // The compiler refuses the names that it knows.
      const fields: Schema.Struct.Fields = { [name]: Schema.String }
      const declaration = { code: "COMPUTED", detail: "", internal: [name], status: 404 } as const
      const make = () => ApiError.make<Error>()("Computed", declaration, fields)
      expect(make).toThrow(
        `Error "Computed" has a field "${name}", and every error has a member of this name. Rename the field.`
      )
    }
  )
})

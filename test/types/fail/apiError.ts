// Errors with a code or a status that they cannot have.
import { ApiError } from "flange"

const detail = ""

export class Lower extends ApiError.make<Lower>()("Lower", { code: "notFound", detail, status: 404 }) {}
// ^ expect: Write the code notFound in capitals

export class Fine extends ApiError.make<Fine>()("Fine", { code: "FINE", detail, status: 200 }) {}
// ^ expect: Use a status from 400 to 599, not 200

export class Half extends ApiError.make<Half>()("Half", { code: "HALF", detail, status: 404.5 }) {}
// ^ expect: Use a status from 400 to 599, not 404.5

export class Beyond extends ApiError.make<Beyond>()("Beyond", { code: "B", detail, status: 600 }) {}
// ^ expect: Use a status from 400 to 599, not 600

/** Requests that cost much, each with an honest control of about as many bytes. */
import { gzipSync } from "node:zlib"

/** What a client does on its connections. */
export interface Traffic {
  /** The bytes of one connection. */
  readonly bytes: Buffer
  /** How many connections do it at once. */
  readonly connections?: number
  /** Whether the client reads the replies. The default is true. */
  readonly reads?: boolean
}

/** A costly input and its control. */
export interface Input {
  readonly control: Traffic
  readonly hostile: Traffic
  readonly name: string
  /** How often each is sent, one after the other. */
  readonly times: number
}

const megabyte = 1_000_000

const request = (
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: Buffer | string = ""
): Buffer => {
  const bytes = Buffer.from(body)
  const lines = Object.entries({
    host: "bench",
    ...(bytes.length > 0 && headers["transfer-encoding"] === undefined
      ? { "content-length": String(bytes.length) }
      : {}),
    ...headers
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`), bytes])
}

const post = (
  path: string,
  body: Buffer | string,
  headers: Readonly<Record<string, string>> = {}
) => ({
  bytes: request(
    "POST",
    path,
    { connection: "close", "content-type": "application/json", ...headers },
    body
  )
})

const get = (path: string, headers: Readonly<Record<string, string>> = {}) => ({
  bytes: request("GET", path, { connection: "close", ...headers })
})

/** A JSON array of as many equal elements as fit. */
const array = (element: string, bytes: number) =>
  `[${`${element},`.repeat(Math.floor(bytes / (element.length + 1)) - 1)}${element}]`

const chunked = (piece: string, count: number) =>
  `${`${piece.length.toString(16)}\r\n${piece}\r\n`.repeat(count)}0\r\n\r\n`

/** A gzip member whose comment takes the given bytes. Source: RFC 1952, section 2.3. */
const commented = (bytes: number): Buffer =>
  Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 0x10, 0, 0, 0, 0, 0, 3]),
    Buffer.alloc(bytes, 0x61),
    Buffer.from([0]),
    gzipSync("[]").subarray(10)
  ])

const repeatedly = (encode: (bytes: Buffer) => Buffer, times: number, bytes: Buffer): Buffer =>
  times === 0 ? bytes : repeatedly(encode, times - 1, encode(bytes))

const tree = (depth: number) => `${'{"children":['.repeat(depth)}${"]}".repeat(depth)}`

const wide = (count: number) =>
  `{"children":[${Array.from({ length: count }).fill('{"children":[]}').join(",")}]}`

/** The inputs. */
export const inputs: ReadonlyArray<Input> = [
  {
    control: post("/any", array("1", megabyte)),
    hostile: post("/any", `${"[".repeat(megabyte / 2)}${"]".repeat(megabyte / 2)}`),
    name: "JSON: 500 000 levels",
    times: 5
  },
  {
    control: post("/tree", wide(6_600)),
    hostile: post("/tree", tree(6_600)),
    name: "JSON: 6 600 levels of a recursive schema",
    times: 20
  },
  {
    control: post("/order", `{"name":"a","tags":${array('"a"', 7 * megabyte)}}`),
    hostile: post("/order", `{"name":"a","tags":${array("111", 7 * megabyte)}}`),
    name: "JSON: each of 1 750 000 elements wrong",
    times: 3
  },
  {
    control: post("/order", `{"name":"A","tags":[],"x":${array("1", 7 * megabyte)}}`),
    hostile: post("/order", `{"name":"\\u0041","tags":[],"x":${array("1", 7 * megabyte)}}`),
    name: "JSON: an escape before 3 500 000 elements",
    times: 3
  },
  {
    control: post("/order", `{"name":"a","tags":[${'"a",'.repeat(80_000)}"a"],"y":1}`),
    hostile: post(
      "/order",
      `{"name":"a","tags":[],${Array.from({ length: 30_000 }, (_, i) => `"k${i}":1`).join(",")}}`
    ),
    name: "JSON: 30 000 unknown members",
    times: 10
  },
  {
    control: post("/text", chunked("a".repeat(65_536), 76), {
      "content-type": "text/plain",
      "transfer-encoding": "chunked"
    }),
    hostile: post("/text", chunked("a", 830_000), {
      "content-type": "text/plain",
      "transfer-encoding": "chunked"
    }),
    name: "body in chunks of one byte",
    times: 3
  },
  {
    control: post("/any", gzipSync(array("1", 4 * megabyte)), { "content-encoding": "gzip" }),
    hostile: post(
      "/any",
      repeatedly((bytes) => gzipSync(bytes), 3, commented(40 * megabyte)),
      { "content-encoding": "gzip, gzip, gzip" }
    ),
    name: "body compressed three times, a comment without end",
    times: 3
  },
  {
    control: get("/read/1", { "x-padding": "gzip,".repeat(2_500) }),
    hostile: post("/any", "[]", { "content-encoding": `${"gzip,".repeat(2_499)}gzip` }),
    name: "2 500 codings",
    times: 200
  },
  {
    control: get("/read/1", { "x-padding": `a${" a".repeat(4_000)}` }),
    hostile: get("/read/1", { connection: `close, a${" ".repeat(8_000)}b` }),
    name: "blanks in Connection",
    times: 200
  },
  {
    control: post("/form", `name=${"a".repeat(7 * megabyte)}`, {
      "content-type": "application/x-www-form-urlencoded"
    }),
    hostile: post("/form", `name=a&${"b=1&".repeat((7 * megabyte) / 4)}`, {
      "content-type": "application/x-www-form-urlencoded"
    }),
    name: "form: 1 750 000 fields",
    times: 3
  },
  {
    control: get(`/read/1?q=${"a".repeat(7_000)}`),
    hostile: get(`/read/1?${"q=&".repeat(2_300)}q=1`),
    name: "query: 2 300 parameters",
    times: 200
  },
  {
    control: get("/read/1", { cookie: `a=${"b".repeat(7_000)}` }),
    hostile: get("/read/1", { cookie: "a=;".repeat(2_300) }),
    name: "2 300 cookies",
    times: 200
  },
  {
    control: {
      bytes: Buffer.from(String(request("GET", "/large", {})).repeat(200)),
      connections: 10
    },
    hostile: {
      bytes: Buffer.from(String(request("GET", "/large", {})).repeat(200)),
      connections: 10,
      reads: false
    },
    name: "2 000 pipelined requests, replies not read",
    times: 1
  }
]

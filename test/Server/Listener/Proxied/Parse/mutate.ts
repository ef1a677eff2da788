/** Mutations of the bytes of requests. */
/** Bytes that mean something to a parser of HTTP. */
export const pieces: ReadonlyArray<Buffer> = [
  "\r\n",
  "\n",
  "\r",
  " ",
  "\t",
  "\0",
  ":",
  ",",
  ";",
  "0",
  "1",
  "a",
  "\x7f",
  "\x80",
  "\xff",
  "GET / HTTP/1.1\r\n",
  "HTTP/1.0\r\n",
  "Host: a\r\n",
  "Content-Length: 5\r\n",
  "Content-Length: 0\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: gzip\r\n",
  "Connection: close\r\n",
  "Connection: keep-alive\r\n",
  "Expect: 100-continue\r\n",
  "0\r\n\r\n",
  "5\r\nhello\r\n",
  "\r\n\r\n",
  " chunked",
  "http://a"
].map((text) => Buffer.from(text, "latin1"))

/** Returns one of the seeds, changed in one to four places. */
export const mutate = (
  seeds: ReadonlyArray<Buffer>,
  pieces: ReadonlyArray<Buffer>,
  random: () => number
): Buffer => {
  const below = (n: number) => Math.floor(random() * n)
  let bytes = Buffer.from(seeds[below(seeds.length)]!)
  for (let i = below(4); i >= 0; i--) {
    const at = below(bytes.length + 1)
    const end = Math.min(bytes.length, at + below(12))
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
    switch (below(7)) {
      case 0:
        if (at < bytes.length) bytes[at] = below(256)
        break
      case 1:
        if (at < bytes.length) bytes[at] = bytes[at]! ^ 0x20
        break
      case 2:
        bytes = Buffer.concat([before, bytes.subarray(end)])
        break
      case 3:
        bytes = Buffer.concat([before, bytes.subarray(at, end), after])
        break
      case 4:
        bytes = Buffer.concat([before, pieces[below(pieces.length)]!, after])
        break
      case 5: {
        const other = seeds[below(seeds.length)]!
        bytes = Buffer.concat([before, other.subarray(below(other.length))])
        break
      }
      case 6:
        bytes = Buffer.concat([bytes, seeds[below(seeds.length)]!])
    }
  }
  return bytes
}

/**
 * What the proxied listener reads, and what it refuses: name, bytes, verdict. A
 * verdict is the requests that were read with their bodies, then how it ended:
 * `clean`, `incomplete`, or the status and name of the refusal. In the bytes `^`
 * stands for CRLF; octets beyond ASCII are Latin-1.
 */

/** A row of the table. */
export type Case = readonly [name: string, bytes: string, verdict: string]

const get = (fields: string) => `GET / HTTP/1.1^Host: a^${fields}^^`
const post = (fields: string, body = "") => `POST / HTTP/1.1^Host: a^${fields}^^${body}`
const chunked = (body: string) => post("Transfer-Encoding: chunked", body)
const line = (text: string) => `${text}^Host: a^^`
const host = (text: string) => `GET / HTTP/1.1^Host:${text}^^`
const long = (n: number) => "a".repeat(n)

const requestLine: ReadonlyArray<Case> = [
  ["a request", line("GET / HTTP/1.1"), "GET /; clean"],
  ["a path and a query", line("GET /a/b?c=d&e=f HTTP/1.1"), "GET /a/b?c=d&e=f; clean"],
  [
    "any token as method",
    line("M-SEARCH!#$%&'*+.^_`|~9 / HTTP/1.1".replace("^", "")),
    "M-SEARCH!#$%&'*+._`|~9 /; clean"
  ],
  ["methods keep their case", line("get / HTTP/1.1"), "get /; clean"],
  ["no method", line(" / HTTP/1.1"), "400 Method"],
  ["a method with a bracket", line("GE(T / HTTP/1.1"), "400 Method"],
  ["a method with a colon", line("GET: / HTTP/1.1"), "400 Method"],
  ["a method beyond ASCII", line("G\xc9T / HTTP/1.1"), "400 Method"],
  ["a leading space", " " + line("GET / HTTP/1.1"), "400 Method"],
  ["a leading tab", "\t" + line("GET / HTTP/1.1"), "400 Method"],
  ["a leading empty line", "^" + line("GET / HTTP/1.1"), "GET /; clean"],
  ["eight leading empty lines", "^".repeat(8) + line("GET / HTTP/1.1"), "GET /; clean"],
  ["nine leading empty lines", "^".repeat(9) + line("GET / HTTP/1.1"), "400 Method"],
  ["an empty line and no request", "^", "clean"],
  ["a CR and no request", "\r", "incomplete"],
  ["a leading CR", "\r" + line("GET / HTTP/1.1"), "400 Method"],
  ["a leading LF", "\n" + line("GET / HTTP/1.1"), "400 Method"],
  ["an empty line and a CR", "^\r" + line("GET / HTTP/1.1"), "400 Method"],
  ["a leading bare LF", "\n" + line("GET / HTTP/1.1"), "400 Method"],
  ["a leading NUL", "\0" + line("GET / HTTP/1.1"), "400 Method"],
  ["a TLS greeting", "\x16\x03\x01\x02\0\x01", "400 Method"],
  ["an HTTP/2 preface", "PRI * HTTP/2.0^^SM^^", "505 VersionUnknown"],
  [
    "a PROXY protocol line",
    "PROXY TCP4 127.0.0.1 127.0.0.1 1 2^" + line("GET / HTTP/1.1"),
    "400 Version"
  ],
  ["two spaces after the method", line("GET  / HTTP/1.1"), "400 Target"],
  ["a tab after the method", line("GET\t/ HTTP/1.1"), "400 Method"],
  ["two spaces after the target", line("GET /  HTTP/1.1"), "400 Version"],
  ["a tab after the target", line("GET /\tHTTP/1.1"), "400 Target"],
  ["a space in the target", line("GET /a b HTTP/1.1"), "400 Version"],
  ["a trailing space", line("GET / HTTP/1.1 "), "400 Version"],
  ["no version", line("GET /"), "400 Target"],
  ["no version and a space", line("GET / "), "400 Version"],
  ["a version in lower case", line("GET / http/1.1"), "400 Version"],
  ["a version without name", line("GET / 1.1"), "400 Version"],
  ["a version with one number", line("GET / HTTP/1"), "400 Version"],
  ["a version with three numbers", line("GET / HTTP/1.1.1"), "400 Version"],
  ["a version with two digits", line("GET / HTTP/1.10"), "400 Version"],
  ["a version with a comma", line("GET / HTTP/1,1"), "400 Version"],
  ["another protocol", line("GET / ICAP/1.0"), "400 Version"],
  ["HTTP/1.0", "GET / HTTP/1.0^^", "GET /; clean"],
  ["HTTP/1.0 with a host", line("GET / HTTP/1.0"), "GET /; clean"],
  ["HTTP/1.2", line("GET / HTTP/1.2"), "505 VersionUnknown"],
  ["HTTP/0.9", line("GET / HTTP/0.9"), "505 VersionUnknown"],
  ["HTTP/2.0", line("GET / HTTP/2.0"), "505 VersionUnknown"],
  ["a bare LF after the request line", "GET / HTTP/1.1\nHost: a^^", "400 Version"],
  ["a bare CR after the request line", "GET / HTTP/1.1\rHost: a^^", "400 Version"],
  ["CR CR LF after the request line", "GET / HTTP/1.1\r\r\nHost: a^^", "400 Version"],
  [
    "a request line of the longest size",
    line(`GET /${long(8192 - 16)} HTTP/1.1`),
    `GET /${long(8192 - 16)}; clean`
  ],
  [
    "a request line one octet longer",
    line(`GET /${long(8192 - 15)} HTTP/1.1`),
    "414 RequestLineTooLong"
  ],
  ["a method without end", "A".repeat(9000), "414 RequestLineTooLong"],
  ["half a request line", "GET / HT", "incomplete"],
  ["nothing", "", "clean"]
]

const targets: ReadonlyArray<Case> = [
  ["percent-encoding", line("GET /%2e%2E/%00 HTTP/1.1"), "GET /%2e%2E/%00; clean"],
  [
    "what browsers leave in a query",
    line("GET /?a[b]={c}|d^e`f\\g'h HTTP/1.1".replace("^", "")),
    "GET /?a[b]={c}|de`f\\g'h; clean"
  ],
  ["a path with dots", line("GET /a/../b/. HTTP/1.1"), "GET /a/../b/.; clean"],
  ["a path with two slashes first", line("GET //a/b HTTP/1.1"), "GET //a/b; clean"],
  ["a fragment", line("GET /a#b HTTP/1.1"), "400 Target"],
  ["a fragment in a query", line("GET /a?b#c HTTP/1.1"), "400 Target"],
  ["a backslash in a path", line("GET /a\\b HTTP/1.1"), "400 Target"],
  ["a quote", line('GET /a"b HTTP/1.1'), "400 Target"],
  ["angle brackets", line("GET /<a> HTTP/1.1"), "400 Target"],
  ["a control character", line("GET /a\x01b HTTP/1.1"), "400 Target"],
  ["a DEL", line("GET /a\x7fb HTTP/1.1"), "400 Target"],
  ["an octet beyond ASCII", line("GET /caf\xe9 HTTP/1.1"), "400 Target"],
  ["a bare CR in the target", line("GET /a\rb HTTP/1.1"), "400 Target"],
  ["a relative path", line("GET a HTTP/1.1"), "400 Target"],
  ["an empty target that is a query", line("GET ?a HTTP/1.1"), "400 Target"],
  ["* with OPTIONS", line("OPTIONS * HTTP/1.1"), "OPTIONS *; clean"],
  ["* with GET", line("GET * HTTP/1.1"), "400 Target"],
  ["** with OPTIONS", line("OPTIONS ** HTTP/1.1"), "400 Target"],
  ["an http URL", line("GET http://a/b?c HTTP/1.1"), "GET /b?c; clean"],
  ["an https URL in capitals", line("GET HTTPS://A/b HTTP/1.1"), "GET /b; clean"],
  ["a URL without path", line("GET http://a HTTP/1.1"), "GET /; clean"],
  ["a URL without path but with a query", line("GET http://a?b HTTP/1.1"), "GET /?b; clean"],
  ["a URL without path with OPTIONS", line("OPTIONS http://a HTTP/1.1"), "OPTIONS *; clean"],
  ["a URL with the default port", line("GET http://a:80/ HTTP/1.1"), "GET /; clean"],
  [
    "a URL with another scheme's default port",
    line("GET https://a:80/ HTTP/1.1"),
    "400 AbsoluteTargetAndHost"
  ],
  ["a URL of another host", line("GET http://b/ HTTP/1.1"), "400 AbsoluteTargetAndHost"],
  ["a URL of another port", line("GET http://a:81/ HTTP/1.1"), "400 AbsoluteTargetAndHost"],
  ["a URL with a user", line("GET http://u@a/ HTTP/1.1"), "400 Target"],
  ["a URL without host", line("GET http:///b HTTP/1.1"), "400 Target"],
  ["a URL with one slash", line("GET http:/b HTTP/1.1"), "400 Target"],
  ["a URL of another scheme", line("GET ftp://a/b HTTP/1.1"), "400 Target"],
  ["a URL with a backslash in a query", line("GET http://a/b?c\\d HTTP/1.1"), "GET /b?c\\d; clean"],
  ["a URL without Host field in HTTP/1.0", "GET http://b/c HTTP/1.0^^", "GET /c; clean"],
  ["a URL without Host field in HTTP/1.1", "GET http://b/c HTTP/1.1^^", "400 HostMissing"],
  ["CONNECT", line("CONNECT a:443 HTTP/1.1"), "501 Connect"],
  ["CONNECT with a path", line("CONNECT / HTTP/1.1"), "501 Connect"],
  ["an authority with GET", line("GET a:443 HTTP/1.1"), "400 Target"]
]

const hosts: ReadonlyArray<Case> = [
  ["no Host", "GET / HTTP/1.1^^", "400 HostMissing"],
  ["an empty Host", host(""), "400 HostInvalid"],
  ["an empty Host in HTTP/1.0", "GET / HTTP/1.0^Host:^^", "400 HostInvalid"],
  ["two Hosts", host(" a^Host: a"), "400 RepeatedField"],
  ["two different Hosts", host(" a^host: b"), "400 RepeatedField"],
  ["two Hosts in HTTP/1.0", "GET / HTTP/1.0^Host: a^Host: b^^", "400 RepeatedField"],
  ["a Host list", host(" a, b"), "400 HostInvalid"],
  ["a Host list without space", host(" a,b"), "400 HostInvalid"],
  ["a Host with a port", host(" a.example:8080"), "GET /; clean"],
  ["a Host with an empty port", host(" a:"), "GET /; clean"],
  ["a Host with an underscore", host(" my_service"), "GET /; clean"],
  ["a Host with percent-encoding", host(" a%41"), "GET /; clean"],
  ["a Host with broken percent-encoding", host(" a%4"), "400 HostInvalid"],
  ["a Host that is an IPv4 address", host(" 127.0.0.1:80"), "GET /; clean"],
  ["a Host that is an IPv6 address", host(" [::1]:80"), "GET /; clean"],
  ["a Host that is an IPv6 address without port", host(" [2001:db8::1]"), "GET /; clean"],
  ["a Host that is an IPv6 address without brackets", host(" ::1"), "400 HostInvalid"],
  ["a Host with an open bracket", host(" [::1"), "400 HostInvalid"],
  ["a Host with letters in brackets", host(" [a]"), "400 HostInvalid"],
  ["a Host with text after brackets", host(" [::1]a"), "400 HostInvalid"],
  ["a Host with a zone", host(" [fe80::1%25eth0]"), "400 HostInvalid"],
  ["a Host with a port beyond 65535", host(" a:65536"), "400 HostInvalid"],
  ["a Host with a port of letters", host(" a:b"), "400 HostInvalid"],
  ["a Host with a port of six digits", host(" a:000080"), "400 HostInvalid"],
  ["a Host with two ports", host(" a:80:81"), "400 HostInvalid"],
  ["a Host with only a port", host(" :80"), "400 HostInvalid"],
  ["a Host with a user", host(" u@a"), "400 HostInvalid"],
  ["a Host with a path", host(" a/b"), "400 HostInvalid"],
  ["a Host with a query", host(" a?b"), "400 HostInvalid"],
  ["a Host with a scheme", host(" http://a"), "400 HostInvalid"],
  ["a Host with a space", host(" a b"), "400 HostInvalid"],
  ["a Host beyond ASCII", host(" \xe4"), "400 HostInvalid"],
  ["a Host in white space", host("\t a \t"), "GET /; clean"],
  ["a Host without white space", host("a"), "GET /; clean"]
]

const fields: ReadonlyArray<Case> = [
  ["an empty value", get("X-A:"), "GET /; clean"],
  ["a value beyond ASCII", get("X-A: caf\xe9"), "GET /; clean"],
  ["a value with tabs and spaces", get("X-A: \t a \t b \t "), "GET /; clean"],
  ["a name with every kind of character", get("X!#$%&'*+-._`|~9: a"), "GET /; clean"],
  ["a space before the colon", get("X-A : b"), "400 FieldName"],
  ["a tab before the colon", get("X-A\t: b"), "400 FieldName"],
  ["a space before the colon of Host", "GET / HTTP/1.1^Host : a^^", "400 FieldName"],
  [
    "a space before the colon of Transfer-Encoding",
    post("Transfer-Encoding : chunked", "0^^"),
    "400 FieldName"
  ],
  ["a line without colon", get("X-A"), "400 FieldName"],
  ["a line without name", get(": b"), "400 FieldName"],
  ["a name with a space", get("X A: b"), "400 FieldName"],
  ["a name with a bracket", get("X(A: b"), "400 FieldName"],
  ["a name with a quote", get('"X": b'), "400 FieldName"],
  ["a name with a NUL", get("X\0A: b"), "400 FieldName"],
  ["a name beyond ASCII", get("X\xe9: b"), "400 FieldName"],
  ["a folded value", get("X-A: b^ c"), "400 FieldName"],
  ["a value folded by a tab", get("X-A: b^\tc"), "400 FieldName"],
  ["a first line that is folded", "GET / HTTP/1.1^ Host: a^^", "400 FieldName"],
  ["a NUL in a value", get("X-A: b\0c"), "400 FieldValue"],
  ["a bare CR in a value", get("X-A: b\rc"), "400 FieldValue"],
  ["a bare LF in a value", get("X-A: b\nc: d"), "400 FieldValue"],
  ["a vertical tab in a value", get("X-A: b\x0bc"), "400 FieldValue"],
  ["an ESC in a value", get("X-A: \x1b[2J"), "400 FieldValue"],
  ["a DEL in a value", get("X-A: b\x7f"), "400 FieldValue"],
  ["a bare LF after a field", "GET / HTTP/1.1^Host: a\n\n", "400 FieldValue"],
  ["a bare CR after a field", "GET / HTTP/1.1^Host: a\r\r", "400 FieldValue"],
  ["a bare LF for the empty line", "GET / HTTP/1.1^Host: a^\n", "400 FieldName"],
  ["a bare CR for the empty line", "GET / HTTP/1.1^Host: a^\rX", "400 FieldName"],
  ["128 fields", get(`${"A: b^".repeat(126)}A: b`), "GET /; clean"],
  ["129 fields", get(`${"A: b^".repeat(127)}A: b`), "431 TooManyFields"],
  ["a field line of the longest size", get(`A: ${long(8192 - 5)}`), "GET /; clean"],
  ["a field line one octet longer", get(`A: ${long(8192 - 4)}`), "431 FieldsTooLarge"],
  [
    "a head that is too long",
    get(`A: ${long(8000)}^B: ${long(8000)}^C: ${long(400)}`),
    "431 FieldsTooLarge"
  ],
  ["a name without end", `GET / HTTP/1.1^${long(9000)}`, "431 FieldsTooLarge"],
  ["half a head", "GET / HTTP/1.1^Host: a^X", "incomplete"],
  ["a head without its empty line", "GET / HTTP/1.1^Host: a^", "incomplete"],
  [
    "two Authorization fields",
    get("Authorization: Bearer a^Authorization: Bearer b"),
    "400 RepeatedField"
  ],
  ["two Content-Type fields", post("Content-Type: a/b^Content-type: c/d"), "400 RepeatedField"],
  ["two Accept fields", get("Accept: a/b^Accept: c/d"), "GET /; clean"],
  ["two Cookie fields", get("Cookie: a=b^Cookie: c=d"), "GET /; clean"],
  ["Connection with a list", get("Connection: close, X-A,,TE"), "GET /; clean"],
  ["Connection with no token", get("Connection: a b"), "400 Connection"],
  [
    "Expect for the body",
    post("Content-Length: 2^Expect: 100-Continue", "ok"),
    'POST / "ok"; clean'
  ],
  ["Expect without body", get("Expect: 100-continue"), "GET /; clean"],
  ["Expect for something else", get("Expect: 200-ok"), "417 Expect"],
  ["Expect twice", get("Expect: 100-continue^Expect: 100-continue"), "417 Expect"],
  ["Expect with a parameter", get("Expect: 100-continue;a=b"), "417 Expect"],
  ["an empty Expect", get("Expect:"), "417 Expect"]
]

const lengths: ReadonlyArray<Case> = [
  ["a body by length", post("Content-Length: 5", "hello"), 'POST / "hello"; clean'],
  ["no length", post("X: y"), "POST /; clean"],
  ["a length of zero", post("Content-Length: 0"), "POST /; clean"],
  ["a length with zeros before it", post("Content-Length: 0005", "hello"), 'POST / "hello"; clean'],
  ["a body with GET", get("Content-Length: 5").replace(/$/, "hello"), 'GET / "hello"; clean'],
  [
    "a body that looks like a request",
    post("Content-Length: 18", "GET / HTTP/1.1^^"),
    'POST / "GET / HTTP/1.1\\r\\n\\r\\n"; clean'
  ],
  [
    "a request after a body",
    post("Content-Length: 2", "ok") + line("GET /b HTTP/1.1"),
    'POST / "ok"; GET /b; clean'
  ],
  [
    "an empty line after a body",
    post("Content-Length: 2", "ok^") + line("GET /b HTTP/1.1"),
    'POST / "ok"; GET /b; clean'
  ],
  ["a body that is shorter", post("Content-Length: 6", "hello"), "incomplete"],
  ["a body that is longer", post("Content-Length: 4", "hello"), 'POST / "hell"; incomplete'],
  ["a length with a plus", post("Content-Length: +5", "hello"), "400 ContentLength"],
  ["a length with a minus", post("Content-Length: -5", "hello"), "400 ContentLength"],
  ["a length of minus zero", post("Content-Length: -0"), "400 ContentLength"],
  ["a hexadecimal length", post("Content-Length: 0x5", "hello"), "400 ContentLength"],
  ["a length with a point", post("Content-Length: 5.0", "hello"), "400 ContentLength"],
  ["a length with an exponent", post("Content-Length: 5e0", "hello"), "400 ContentLength"],
  ["a length with an underscore", post("Content-Length: 1_0", "0123456789"), "400 ContentLength"],
  ["a length in quotes", post('Content-Length: "5"', "hello"), "400 ContentLength"],
  ["an empty length", post("Content-Length:"), "400 ContentLength"],
  ["a length with a space in it", post("Content-Length: 1 0", "0123456789"), "400 ContentLength"],
  ["a length list", post("Content-Length: 5, 5", "hello"), "400 ContentLength"],
  [
    "a length list of different lengths",
    post("Content-Length: 5, 6", "hello!"),
    "400 ContentLength"
  ],
  ["a length that is a superscript", post("Content-Length: \xb2", "ab"), "400 ContentLength"],
  ["the longest length", post("Content-Length: 9007199254740991"), "incomplete"],
  [
    "a length that is not a safe integer",
    post("Content-Length: 9007199254740992"),
    "400 ContentLength"
  ],
  [
    "a length of 17 digits",
    post("Content-Length: 00000000000000005", "hello"),
    "400 ContentLength"
  ],
  [
    "a length that wraps 64 bits",
    post("Content-Length: 18446744073709551621", "hello"),
    "400 ContentLength"
  ],
  [
    "the same length twice",
    post("Content-Length: 5^Content-Length: 5", "hello"),
    "400 RepeatedField"
  ],
  ["two lengths", post("Content-Length: 5^content-length: 6", "hello!"), "400 RepeatedField"],
  [
    "a length with white space around it",
    post("Content-Length:\t 5 \t", "hello"),
    'POST / "hello"; clean'
  ],
  ["a length in HTTP/1.0", "POST / HTTP/1.0^Content-Length: 5^^hello", 'POST / "hello"; clean'],
  ["a name that is almost Content-Length", post("Content_Length: 5", "hello"), "POST /; incomplete"]
]

const codings: ReadonlyArray<Case> = [
  ["a chunked body", chunked("5^hello^0^^"), 'POST / "hello"; clean'],
  [
    "Chunked in capitals",
    post("Transfer-Encoding: ChUnKeD", "5^hello^0^^"),
    'POST / "hello"; clean'
  ],
  ["chunked after white space", post("Transfer-Encoding: \t chunked", "0^^"), "POST /; clean"],
  [
    "chunked before white space",
    post("Transfer-Encoding: chunked ", "0^^"),
    "400 TransferEncoding"
  ],
  [
    "chunked and a length",
    post("Content-Length: 5^Transfer-Encoding: chunked", "0^^"),
    "400 ContentLengthAndTransferEncoding"
  ],
  [
    "chunked and a length, the other way round",
    post("Transfer-Encoding: chunked^Content-Length: 5", "0^^"),
    "400 ContentLengthAndTransferEncoding"
  ],
  [
    "chunked and a broken length",
    post("Transfer-Encoding: chunked^Content-Length: a", "0^^"),
    "400 ContentLengthAndTransferEncoding"
  ],
  [
    "chunked in HTTP/1.0",
    "POST / HTTP/1.0^Host: a^Transfer-Encoding: chunked^^0^^",
    "400 TransferEncodingOn10"
  ],
  [
    "chunked twice in two fields",
    post("Transfer-Encoding: chunked^Transfer-Encoding: chunked", "0^^"),
    "400 RepeatedField"
  ],
  [
    "chunked and identity in two fields",
    post("Transfer-Encoding: chunked^Transfer-Encoding: identity", "0^^"),
    "400 RepeatedField"
  ],
  [
    "chunked twice in a list",
    post("Transfer-Encoding: chunked, chunked", "0^^"),
    "400 TransferEncoding"
  ],
  ["gzip and then chunked", post("Transfer-Encoding: gzip, chunked", "0^^"), "501 TransferCoding"],
  [
    "chunked and then gzip",
    post("Transfer-Encoding: chunked, gzip", "0^^"),
    "400 TransferEncoding"
  ],
  ["gzip alone", post("Transfer-Encoding: gzip"), "400 TransferEncoding"],
  ["identity", post("Transfer-Encoding: identity"), "400 TransferEncoding"],
  ["no coding", post("Transfer-Encoding:"), "400 TransferEncoding"],
  [
    "a coding that is almost chunked",
    post("Transfer-Encoding: xchunked", "0^^"),
    "400 TransferEncoding"
  ],
  [
    "a coding that starts with chunked",
    post("Transfer-Encoding: chunkedx", "0^^"),
    "400 TransferEncoding"
  ],
  [
    "chunked with a parameter",
    post("Transfer-Encoding: chunked;a=b", "0^^"),
    "400 TransferEncoding"
  ],
  ["chunked in quotes", post('Transfer-Encoding: "chunked"', "0^^"), "400 TransferEncoding"],
  ["chunked after a comma", post("Transfer-Encoding: ,chunked", "0^^"), "400 TransferEncoding"],
  ["chunked before a comma", post("Transfer-Encoding: chunked,", "0^^"), "400 TransferEncoding"],
  ["chunked after a vertical tab", post("Transfer-Encoding: \x0bchunked", "0^^"), "400 FieldValue"],
  ["chunked on a folded line", post("Transfer-Encoding:^ chunked", "0^^"), "400 FieldName"],
  ["chunked after a bare LF", post("X: a\nTransfer-Encoding: chunked", "0^^"), "400 FieldValue"],
  [
    "a name that is almost Transfer-Encoding",
    post("Transfer_Encoding: chunked", "0^^"),
    "POST /; 400 Method"
  ]
]

const chunks: ReadonlyArray<Case> = [
  ["several chunks", chunked("1^a^2^bc^A^0123456789^0^^"), 'POST / "abc0123456789"; clean'],
  [
    "a request after chunks",
    chunked("2^ok^0^^") + line("GET /b HTTP/1.1"),
    'POST / "ok"; GET /b; clean'
  ],
  ["chunks that look like a request", chunked("4^GET ^0^^"), 'POST / "GET "; clean'],
  ["a size with zeros before it", chunked("0005^hello^00^^"), 'POST / "hello"; clean'],
  [
    "a size in both cases",
    chunked("a^0123456789^A^0123456789^0^^"),
    'POST / "01234567890123456789"; clean'
  ],
  ["no size", chunked("^hello^0^^"), "400 ChunkSize"],
  ["a size that is no number", chunked("g^^"), "400 ChunkSize"],
  ["a size with 0x", chunked("0x5^hello^0^^"), "400 ChunkSize"],
  ["a size with a plus", chunked("+5^hello^0^^"), "400 ChunkSize"],
  ["a size with a minus", chunked("-5^hello^0^^"), "400 ChunkSize"],
  ["a size after a space", chunked(" 5^hello^0^^"), "400 ChunkSize"],
  ["a size before a space", chunked("5 ^hello^0^^"), "400 ChunkSize"],
  ["a size before a tab", chunked("5\t^hello^0^^"), "400 ChunkSize"],
  ["a size of 16 digits", chunked("0000000000000005^hello^0^^"), 'POST / "hello"; clean'],
  ["a size of 17 digits", chunked("00000000000000005^hello^0^^"), "400 ChunkSize"],
  ["a size that is not a safe integer", chunked("20000000000000^"), "400 ChunkSize"],
  ["a size that wraps 64 bits", chunked("10000000000000005^hello^0^^"), "400 ChunkSize"],
  ["a size before a bare LF", chunked("5\nhello^0^^"), "400 ChunkSize"],
  ["a size before a bare CR", chunked("5\rhello^0^^"), "400 ChunkSize"],
  ["a chunk that is longer than its size", chunked("4^hello^0^^"), "400 ChunkData"],
  ["a chunk that is shorter than its size", chunked("6^hello^0^^"), "400 ChunkData"],
  ["a chunk before a bare LF", chunked("5^hello\n0^^"), "400 ChunkData"],
  ["a chunk before a bare CR", chunked("5^hello\r0^^"), "400 ChunkData"],
  ["a chunk before nothing", chunked("5^hello0^^"), "400 ChunkData"],
  ["an end without its empty line", chunked("0^"), "incomplete"],
  ["an end and a bare LF", chunked("0^\n"), "400 FieldName"],
  ["an end before a bare LF", chunked("0\n\n"), "400 ChunkSize"],
  ["half a chunk", chunked("5^hel"), "incomplete"],
  ["half a size", chunked("5"), "incomplete"],
  ["an extension", chunked("5;a^hello^0;b^^"), 'POST / "hello"; clean'],
  ["an extension with a value", chunked("5;a=b;c=d^hello^0^^"), 'POST / "hello"; clean'],
  [
    "an extension with a quoted value",
    chunked('5;a="b \\" ; \\\\ c"^hello^0^^'),
    'POST / "hello"; clean'
  ],
  ["an extension with an empty quoted value", chunked('5;a=""^hello^0^^'), 'POST / "hello"; clean'],
  ["an extension without name", chunked("5;^hello^0^^"), "400 ChunkExtension"],
  ["an extension without value", chunked("5;a=^hello^0^^"), "400 ChunkExtension"],
  ["an extension after a space", chunked("5 ;a^hello^0^^"), "400 ChunkSize"],
  ["an extension name after a space", chunked("5; a^hello^0^^"), "400 ChunkExtension"],
  ["an extension before a space", chunked("5;a ^hello^0^^"), "400 ChunkExtension"],
  ["an extension before a bare LF", chunked("5;a\nhello^0^^"), "400 ChunkExtension"],
  ["an extension with a bare CR", chunked("5;a\rb^hello^0^^"), "400 ChunkSize"],
  ["an extension with an open quote", chunked('5;a="b^hello^0^^'), "400 ChunkExtension"],
  ["an extension with text after a quote", chunked('5;a="b"c^hello^0^^'), "400 ChunkExtension"],
  ["an extension with a NUL in quotes", chunked('5;a="\0"^hello^0^^'), "400 ChunkExtension"],
  ["an extension with an escaped LF", chunked('5;a="\\\n"^hello^0^^'), "400 ChunkExtension"],
  [
    "an extension that is too long",
    chunked(`5;${long(17_000)}^hello^0^^`),
    "413 ChunkExtensionsTooLong"
  ],
  [
    "extensions that are too long together",
    chunked(`${`1;${long(6000)}^a^`.repeat(3)}0^^`),
    "413 ChunkExtensionsTooLong"
  ],
  ["trailers", chunked("5^hello^0^X-A: b^X-C: d^^"), 'POST / "hello"; clean'],
  [
    "a trailer that is Content-Length",
    chunked("0^Content-Length: 9^^") + line("GET /b HTTP/1.1"),
    "400 Trailer"
  ],
  ["a trailer that is Host", chunked("0^Host: b^^"), "POST /; clean"],
  ["a trailer with a space before its colon", chunked("0^X : b^^"), "400 FieldName"],
  ["a trailer with a control character", chunked("0^X: \x01^^"), "400 FieldValue"],
  ["a folded trailer", chunked("0^X: a^ b^^"), "400 FieldName"],
  ["a trailer before a bare LF", chunked("0^X: a\n\n"), "400 FieldValue"],
  ["a request in place of trailers", chunked("0^GET / HTTP/1.1^Host: a^^"), "400 FieldName"],
  ["129 trailers", chunked(`0^${"A: b^".repeat(129)}^`), "431 TooManyFields"],
  ["a trailer without end", chunked(`0^${long(9000)}`), "431 FieldsTooLarge"]
]

const pipelines: ReadonlyArray<Case> = [
  [
    "three requests",
    line("GET /a HTTP/1.1") + line("GET /b HTTP/1.1") + line("HEAD /c HTTP/1.1"),
    "GET /a; GET /b; HEAD /c; clean"
  ],
  ["a broken one after a whole one", line("GET /a HTTP/1.1") + "GET /b^^", "GET /a; 400 Target"],
  [
    "CL.TE smuggling",
    post("Content-Length: 6^Transfer-Encoding: chunked", "0^^G"),
    "400 ContentLengthAndTransferEncoding"
  ],
  [
    "TE.CL smuggling",
    post("Transfer-Encoding: chunked^Content-Length: 4", "5c^GPOST"),
    "400 ContentLengthAndTransferEncoding"
  ],
  [
    "TE.TE smuggling",
    post("Transfer-Encoding: chunked^Transfer-encoding: x", "0^^"),
    "400 RepeatedField"
  ],
  [
    "CL.0 smuggling",
    `POST / HTTP/1.1^Host: a^Content-Length: 20^^${"GET /admin HTTP/1.1^"}`,
    "POST / " + JSON.stringify("GET /admin HTTP/1.1\r") + "; 400 Method"
  ],
  ["a terminator in an extension", chunked("2;\n^ok^0^^"), "400 ChunkExtension"],
  ["a chunk of spilled size", chunked("2^okGET^0^^"), "400 ChunkData"]
]

/** Every case. */
export const cases: ReadonlyArray<Case> = [
  ...requestLine,
  ...targets,
  ...hosts,
  ...fields,
  ...lengths,
  ...codings,
  ...chunks,
  ...pipelines
]

/** The bytes of a case. */
export const bytesOf = (text: string): Buffer => Buffer.from(text.replaceAll("^", "\r\n"), "latin1")

import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ClientIp, Network } from "flange"

const trusted = ["10.0.0.0/8", "127.0.0.1", "fd00::/8"].map((text) =>
  Schema.decodeSync(Network)(text)
)

const from = (peer: string | undefined, headers: Record<string, string> = {}) =>
  ClientIp.derive({ headers, peer }, trusted)

const xff = (value: string) => ({ "x-forwarded-for": value })

describe("the client's address", () => {
  it("is what a proxy on a unix socket says, past trusted hops", () => {
    const local = (headers: Record<string, string>) =>
      ClientIp.derive({ headers, isLocal: true, peer: undefined }, trusted)
    assert.strictEqual(local(xff("6.6.6.6, 198.51.100.7, 10.0.0.2")), "198.51.100.7")
    assert.strictEqual(local({ ...xff("198.51.100.7"), forwarded: "for=6.6.6.6" }), undefined)
    assert.strictEqual(local({}), undefined)
  })

  const table: ReadonlyArray<
    readonly [
      name: string,
      peer: string | undefined,
      headers: Record<string, string>,
      ip: string | undefined
    ]
  > = [
    ["is the peer's without headers", "192.0.2.1", {}, "192.0.2.1"],
    ["is unknown without a peer", undefined, xff("6.6.6.6"), undefined],
    ["is unknown for a peer that is no address", "/tmp/socket", xff("6.6.6.6"), undefined],
    [
      "is the peer's where the peer is not trusted",
      "192.0.2.1",
      { ...xff("6.6.6.6"), forwarded: "for=6.6.6.6", "x-real-ip": "6.6.6.6" },
      "192.0.2.1"
    ],
    ["is what a trusted peer appended", "10.0.0.1", xff("198.51.100.7"), "198.51.100.7"],
    [
      "is not what the client wrote itself",
      "10.0.0.1",
      xff("6.6.6.6, 198.51.100.7"),
      "198.51.100.7"
    ],
    [
      "is behind every trusted hop",
      "10.0.0.1",
      xff("6.6.6.6, 198.51.100.7, 10.1.1.1,10.2.2.2"),
      "198.51.100.7"
    ],
    [
      "is not believed past an untrusted hop",
      "10.0.0.1",
      xff("6.6.6.6, 198.51.100.7, 10.1.1.1, 203.0.113.1"),
      "203.0.113.1"
    ],
    ["is the peer's when every hop is trusted", "10.0.0.1", xff("10.1.1.1, 10.2.2.2"), "10.0.0.1"],
    ["is the peer's after garbage", "10.0.0.1", xff("198.51.100.7, unknown, 10.1.1.1"), "10.0.0.1"],
    ["is the peer's after an empty entry", "10.0.0.1", xff("198.51.100.7,"), "10.0.0.1"],
    ["is the peer's after a header injection", "10.0.0.1", xff("1.2.3.4\u0000"), "10.0.0.1"],
    [
      "is the peer's after an endless chain",
      "10.0.0.1",
      xff("198.51.100.7, ".repeat(500) + "198.51.100.7"),
      "10.0.0.1"
    ],
    ["may come with a port", "10.0.0.1", xff("198.51.100.7:4711"), "198.51.100.7"],
    ["may be IPv6", "10.0.0.1", xff("2001:DB8::0:7"), "2001:db8::7"],
    ["may be IPv6 in brackets with a port", "10.0.0.1", xff("[2001:db8::7]:4711"), "2001:db8::7"],
    ["may be IPv4-mapped", "10.0.0.1", xff("::ffff:198.51.100.7"), "198.51.100.7"],
    ["is found behind an IPv4-mapped peer", "::ffff:10.0.0.1", xff("198.51.100.7"), "198.51.100.7"],
    ["is found behind an IPv6 peer", "fd00::1", xff("198.51.100.7"), "198.51.100.7"],
    ["of an IPv4-mapped peer is IPv4", "::ffff:192.0.2.1", {}, "192.0.2.1"],
    ["has no zone", "fe80::1%eth0", {}, "fe80::1"],
    ["is no address with leading zeros", "10.0.0.1", xff("198.051.100.7"), "10.0.0.1"],
    ["is no number", "10.0.0.1", xff("3325256709"), "10.0.0.1"],
    ["is no name", "10.0.0.1", xff("localhost"), "10.0.0.1"],
    [
      "is read from Forwarded",
      "10.0.0.1",
      { forwarded: "for=6.6.6.6, for=198.51.100.7;proto=https;by=10.0.0.9" },
      "198.51.100.7"
    ],
    [
      "is read from Forwarded in quotes",
      "10.0.0.1",
      { forwarded: 'By=x; For="[2001:db8:cafe::17]:4711"' },
      "2001:db8:cafe::17"
    ],
    [
      "is hidden in Forwarded",
      "10.0.0.1",
      { forwarded: "for=198.51.100.7, for=_hidden" },
      "10.0.0.1"
    ],
    [
      "is not said twice in one element",
      "10.0.0.1",
      { forwarded: "for=6.6.6.6;for=198.51.100.7" },
      "10.0.0.1"
    ],
    ["is read from X-Real-IP", "10.0.0.1", { "x-real-ip": "198.51.100.7" }, "198.51.100.7"],
    [
      "is believed when headers agree",
      "10.0.0.1",
      { ...xff("6.6.6.6, 198.51.100.7"), "x-real-ip": "198.51.100.7" },
      "198.51.100.7"
    ],
    [
      "is not believed when a client adds a header that the proxy does not maintain",
      "10.0.0.1",
      { ...xff("198.51.100.7"), forwarded: "for=6.6.6.6" },
      "10.0.0.1"
    ],
    [
      "ignores an X-Real-IP that is a proxy's",
      "10.0.0.1",
      { ...xff("198.51.100.7, 10.3.3.3"), "x-real-ip": "10.3.3.3" },
      "198.51.100.7"
    ]
  ]
  for (const [name, peer, headers, ip] of table) {
    it(name, () => assert.strictEqual(from(peer, headers), ip))
  }

  it("is the peer's where no proxy is trusted", () => {
    assert.strictEqual(
      ClientIp.derive({ headers: xff("6.6.6.6"), peer: "10.0.0.1" }, []),
      "10.0.0.1"
    )
  })

  it.effect("is unknown outside of a request", () =>
    Effect.map(ClientIp.current, (ip) => assert.isUndefined(ip))
  )
})

describe("what limits count an address by", () => {
  for (const [address, network] of [
    ["203.0.113.7", "203.0.113.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["64:ff9b::203.0.113.7", "203.0.113.7"],
    ["64:ff9b::cb00:7108", "203.0.113.8"],
    // The prefix has 96 bits, and another prefix embeds no address that is known.
    ["64:ff9b:0:0:1::cb00:7108", "64:ff9b::/64"],
    ["64:ff9b:1::cb00:7108", "64:ff9b:1::/64"]
  ] as const) {
    it(`is ${network} for ${address}`, () => {
      assert.strictEqual(ClientIp.networkOf(address), network)
    })
  }
})

describe("a network in configuration", () => {
  const decode = Schema.decodeResult(Network)
  for (const text of ["10.0.0.0/8", "0.0.0.0/0", "192.0.2.7", "fd00::/8", "::1", "2001:db8::/32"]) {
    it(`may be ${text}`, () => assert.isTrue(Result.isSuccess(decode(text))))
  }
  for (const text of [
    "10.0.0.1/8",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0/8",
    "1",
    "",
    "proxy",
    "10.0.0.1-10.0.0.9"
  ]) {
    it(`may not be "${text}"`, () => {
      const result = decode(text)
      assert.isTrue(Result.isFailure(result) && /a network such as/.test(String(result.failure)))
    })
  }
})

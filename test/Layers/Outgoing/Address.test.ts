/** Tests of the addresses that URLs of users may lead to. */
import * as IpNetwork from "effect/net/IpNetwork"
import { assert, describe, it } from "vitest"
import { isAllowed } from "../../../src/Layers/Outgoing/Address.ts"

const refused = [
  "0.0.0.0",
  "10.0.0.1",
  "100.64.0.1",
  "100.100.100.200",
  "127.0.0.1",
  "127.255.255.254",
  "168.63.129.16",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.192",
  "192.0.2.1",
  "192.168.1.1",
  "198.18.0.1",
  "198.51.100.1",
  "203.0.113.1",
  "224.0.0.1",
  "239.255.255.250",
  "255.255.255.255",
  "::",
  "::1",
  "::127.0.0.1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::ffff:169.254.169.254",
  "64:ff9b::127.0.0.1",
  "64:ff9b::a9fe:a9fe",
  "64:ff9b:1::1",
  "100::1",
  "2001::1",
  "2001:db8::1",
  "2002:7f00:1::",
  "3fff::1",
  "5f00::1",
  "fc00::1",
  "fd00:ec2::254",
  "fe80::1",
  "fec0::1",
  "ff02::1",
  "localhost",
  "0x7f000001",
  "0177.0.0.1",
  "2130706433",
  "fe80::1%eth0",
  ""
]

const allowed = [
  "1.1.1.1",
  "100.63.255.255",
  "172.32.0.1",
  "192.0.1.1",
  "223.255.255.255",
  "::ffff:8.8.8.8",
  "64:ff9b::8.8.8.8",
  "2606:4700::1111",
  "2a00:1450:4001::1"
]

describe("isAllowed", () => {
  it.each(refused)("refuses %s", (address) => {
    assert.isFalse(isAllowed(address, []))
  })

  it.each(allowed)("allows %s, which is public", (address) => {
    assert.isTrue(isAllowed(address, []))
  })

  it("allows the networks of the operator, also for mapped addresses, and no other", () => {
    const networks = [IpNetwork.fromStringUnsafe("10.1.0.0/16")]
    assert.isTrue(isAllowed("10.1.2.3", networks))
    assert.isTrue(isAllowed("::ffff:10.1.2.3", networks))
    assert.isFalse(isAllowed("10.2.0.1", networks))
  })
})

/** The TLS of a connection, as its requests see it. */
import type { X509Certificate } from "node:crypto"
import type { Socket } from "node:net"
import type { TLSSocket } from "node:tls"
import type { Tls } from "../Exchange/Wire.ts"

class Peer implements Tls {
  #certificate: { readonly until: number; readonly value: X509Certificate } | undefined
  readonly #socket: TLSSocket

  constructor(socket: TLSSocket) {
    this.#socket = socket
  }

  get clientCertificate(): X509Certificate | undefined {
    if (!this.#socket.authorized) return undefined
    if (this.#certificate === undefined) {
      const value = this.#socket.getPeerX509Certificate()
      if (value === undefined) return undefined
      this.#certificate = { until: value.validToDate.getTime(), value }
    }
    // TLS has verified it once, and the connection or its session may outlive it.
    return Date.now() <= this.#certificate.until ? this.#certificate.value : undefined
  }
}

const peers = new WeakMap<Socket, Peer>()

/** Returns the TLS of a connection; undefined for a plain one. */
export const of = (socket: Socket): Tls | undefined => {
  if (!("encrypted" in socket)) return undefined
  let peer = peers.get(socket)
  if (peer === undefined) {
    // Only sockets of TLS have the member.
    peer = new Peer(socket as TLSSocket)
    peers.set(socket, peer)
  }
  return peer
}

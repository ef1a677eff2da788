/** The TLS of a connection, as its requests see it. */
import type { X509Certificate } from "node:crypto"
import type { Socket } from "node:net"
import type { TLSSocket } from "node:tls"
import type { Tls } from "../Exchange/Wire.ts"

class Peer implements Tls {
  #certificate: X509Certificate | undefined
  readonly #socket: TLSSocket

  constructor(socket: TLSSocket) {
    this.#socket = socket
  }

  get clientCertificate(): X509Certificate | undefined {
    return this.#socket.authorized
      ? (this.#certificate ??= this.#socket.getPeerX509Certificate())
      : undefined
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

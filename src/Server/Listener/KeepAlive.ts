/** HTTP/1.0 connections that stay open. */
import type { ServerResponse } from "node:http"
import * as Semantics from "../Exchange/Semantics.ts"

/**
 * Keeps the connection of an HTTP/1.0 request that asks for it after a reply that has no body. Node
 * closes it after every reply without a length. Call it before the head is written.
 */
export const keepWithoutLength = (reply: ServerResponse, status: number): void => {
  const isEmpty = Semantics.bodyOf(reply.req.method!, status) !== "body"
  if (isEmpty && reply.shouldKeepAlive && !reply.hasHeader("connection")) {
    reply.setHeader("connection", "keep-alive")
  }
}

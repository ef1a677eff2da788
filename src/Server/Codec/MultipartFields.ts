/** Holds the parts of multipart forms to the rules of other bodies. */
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Multipart from "effect/http/Multipart"
import * as MultipartParser from "effect/http/MultipartParser"
import * as Stream from "effect/Stream"
import { MalformedRequest } from "../../Contract/Catalogue.ts"
import * as Issues from "../Exchange/Issues.ts"
import * as MultipartFailure from "../Exchange/MultipartFailure.ts"
import * as JsonText from "./JsonText.ts"

/**
 * Returns a request that also checks the parts of its multipart form. Reading the form dies with the
 * error to answer if a part is named `__proto__` or has headers that cannot be read, if a field is
 * not text of its charset, or if a field of the type JSON breaks the rules of a JSON body. Effect
 * replaces bytes that are not text and takes some broken headers, so a second parser checks the parts.
 *
 * The second parser also reports the errors of the form, before the first one gets the bytes. That one would
 * end a file where the form ends too early, and who reads the file as a stream would take it for whole.
 */
export const check = (request: HttpServerRequest, maxJsonDepth: number): HttpServerRequest => {
  const body = Stream.mapError(request.stream, (cause) =>
    Multipart.MultipartError.fromReason("InternalError", cause)
  )
  const parts = Effect.map(Multipart.makeConfig(request.headers), (config) => {
    let failure: Multipart.MultipartError | undefined
    let isDone = false
    let last: MultipartParser.PartInfo | undefined
    let refused: unknown
    const refusing = (check: () => void) => {
      try {
        if (isDone) throw afterEnd
        check()
      } catch (error) {
        refused ??= error
      }
    }
    const begin = (info: MultipartParser.PartInfo) => {
      last = info
      checkHeaders(info)
    }
    const parser = MultipartParser.make({
      ...config,
      onDone: () => {
        isDone = true
      },
      onError: (error) => {
        // What comes after the last boundary is no part.
        if (!isDone) failure ??= MultipartFailure.fromParser(error)
      },
      onField: (info, value) =>
        refusing(() => {
          // A part whose headers have no end is given as the part before it.
          if (info === last) throw badHeaders
          begin(info)
          checkField(info, value, maxJsonDepth)
        }),
      onFile: (info) => {
        refusing(() => begin(info))
        let isEnded = false
        return (piece) =>
          refusing(() => {
            if (isEnded) throw badHeaders
            isEnded = piece === null
          })
      }
    })
    const checked = <A>(value: A): Effect.Effect<A, Multipart.MultipartError> =>
      refused !== undefined
        ? Effect.die(refused)
        : failure === undefined
          ? Effect.succeed(value)
          : Effect.fail(failure)
    return Stream.concat(
      Stream.mapArrayEffect(body, (chunks) => {
        for (const chunk of chunks) if (!isDone) parser.write(chunk)
        return checked(chunks)
      }),
      Stream.suspend(() => {
        if (!isDone && failure === undefined) parser.end()
        return Stream.fromEffectDrain(checked(undefined))
      })
    )
  })
  const multipartStream = Stream.pipeThroughChannel(
    Stream.unwrap(parts),
    Multipart.makeChannel(request.headers)
  )
  // It inherits all other members.
  return Object.create(request, {
    multipart: { value: Effect.runSync(Effect.cached(Multipart.toPersisted(multipartStream))) },
    multipartStream: { value: multipartStream }
  }) as HttpServerRequest
}

const afterEnd = MultipartFailure.malformed("a part comes after its last boundary")

const badHeaders = MultipartFailure.malformed(MultipartFailure.badHeaders)

const checkHeaders = ({ headers, name }: MultipartParser.PartInfo): void => {
  // The parser reads bytes that are not text as this character, which no name has.
  if (name.includes("\uFFFD")) {
    throw Issues.malformedBody("The name of a part is not valid UTF-8")
  }
  // Effect's parser takes anything behind a CR without LF.
  if (
    Object.values(headers)
      .flat()
      .some((value) => value.includes("\r"))
  )
    throw badHeaders
  JsonText.refusePrototype("body", Object.fromEntries([[name, undefined]]))
}

const checkField = (
  { contentType, contentTypeParameters, name }: MultipartParser.PartInfo,
  value: Uint8Array,
  maxJsonDepth: number
): void => {
  try {
    if (/^application\/(?:[^;]*\+)?json$/i.test(contentType)) JsonText.parse(value, maxJsonDepth)
    else JsonText.text(value, decoderOf(contentTypeParameters["charset"] ?? "utf-8"))
  } catch (error) {
    if (!(error instanceof MalformedRequest)) throw error
    const [{ detail, pointer }] = error.errors as [(typeof error.errors)[number]]
    throw Issues.malformedBody(detail, Issues.pointerSegment(name) + pointer)
  }
}

/** Returns the decoder of a charset. Effect reads a charset that it does not know as UTF-8. */
const decoderOf = (charset: string) => {
  try {
    return new TextDecoder(charset, { fatal: true })
  } catch {
    return new TextDecoder("utf-8", { fatal: true })
  }
}

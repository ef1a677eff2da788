/** The media types of files by the endings of their names. */
import * as Mime from "effect/http/Mime"
import * as Option from "effect/Option"

/** Types of text whose encoding the header names. */
const text = /^text\/|^(?:application|image)\/(?:[^;]+\+)?xml$/

/** Types that are shorter in a content coding. */
const compressible =
  /^text\/|^(?:application|image)\/(?:[^;]+\+)?(?:json|xml)|^application\/(?:javascript|wasm|vnd\.ms-fontobject|x-ndjson)|^font\/(?:collection|otf|ttf)|^image\/(?:bmp|x-icon|vnd\.microsoft\.icon)/

/** Media types by endings without the dot. */
export type Types = Readonly<Record<string, string>>

const endingOf = (name: string): string | undefined => {
  const dot = name.lastIndexOf(".")
  return dot <= 0 ? undefined : name.slice(dot + 1).toLowerCase()
}

const known = (name: string, types: Types): string | undefined => {
  const ending = endingOf(name)
  if (ending === undefined) return undefined
  return Object.hasOwn(types, ending)
    ? types[ending]
    : Option.getOrUndefined(Mime.getType(`x.${ending}`))
}

/** Returns the media type of a name, with the charset of a text. Texts are UTF-8. */
export const of = (name: string, types: Types): string => {
  const type = known(name, types) ?? "application/octet-stream"
  return text.test(type) ? `${type}; charset=utf-8` : type
}

/** Checks whether a name ends as that of a file does. A page, such as `/users/ada.lovelace`, does not. */
export const isFileName = (name: string, types: Types): boolean => known(name, types) !== undefined

/** Checks whether files of a media type are worth a content coding. */
export const isCompressible = (type: string): boolean => compressible.test(type)

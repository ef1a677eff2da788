/** The backend in S3 and compatible servers. */
import type { Readable } from "node:stream"
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  S3Client,
  type S3ClientConfig
} from "@aws-sdk/client-s3"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import {
  ObjectPreconditionFailed,
  ObjectRangeNotSatisfiable,
  ObjectStoreUnavailable
} from "../../Contract/ObjectErrors.ts"
import * as AwsReplies from "../../Plugin/AwsReplies.ts"
import * as AwsSettings from "../../Plugin/AwsSettings.ts"
import { type Backend, type ReadFailure, resolve } from "./Backend.ts"
import {
  type ByteRange,
  type ObjectInfo,
  ObjectNotModified,
  type ReadOptions,
  type StoredObject,
  type StoreFailure
} from "./ObjectStore.ts"
import type { Settings } from "./ObjectStoreConfig.ts"
import * as S3Errors from "./S3Errors.ts"
import * as S3Signer from "./S3Signer.ts"
import * as S3Upload from "./S3Upload.ts"

const settingsOf = (settings: Settings): S3ClientConfig => ({
  ...AwsSettings.options(settings),
  forcePathStyle: settings.forcePathStyle,
  requestChecksumCalculation: settings.requestChecksumCalculation,
  responseChecksumValidation: settings.responseChecksumValidation
})

const client = (config: S3ClientConfig): Effect.Effect<S3Client, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const made = new S3Client(config)
      made.middlewareStack.add(AwsReplies.bounded("GetObjectCommand"), AwsReplies.place)
      return made
    }),
    (client) => Effect.sync(() => client.destroy())
  )

const rangeOf = (range: ByteRange): string =>
  "last" in range ? `bytes=-${range.last}` : `bytes=${range.from}-${range.to ?? ""}`

/** What S3 tells of an object in the headers of a reply. */
interface Described {
  readonly ContentLength?: number | undefined
  readonly ContentType?: string | undefined
  readonly ETag?: string | undefined
  readonly LastModified?: Date | undefined
  readonly Metadata?: Readonly<Record<string, string>> | undefined
}

const unknownSize = (operation: string) =>
  new ObjectStoreUnavailable({
    operation,
    reason: "the server does not tell the size of the object"
  })

/** Describes an object. Fails without a size: a reply with a guessed length would break off. */
const infoOf = (
  operation: string,
  key: string,
  reply: Described,
  size = reply.ContentLength
): Effect.Effect<ObjectInfo, ObjectStoreUnavailable> =>
  size === undefined
    ? Effect.fail(unknownSize(operation))
    : Effect.succeed({
        contentType: reply.ContentType ?? "application/octet-stream",
        etag: reply.ETag ?? '""',
        key,
        lastModified: reply.LastModified ?? new Date(0),
        metadata: reply.Metadata ?? {},
        size
      })

/** Partial Content: the body is a part of the object. */
const partial = 206

/** Returns the object of a reply with its body. */
const objectOf = (
  key: string,
  reply: Described & {
    readonly $metadata: { readonly httpStatusCode?: number | undefined }
    readonly ContentRange?: string | undefined
  },
  body: Readable
): Effect.Effect<StoredObject, ObjectStoreUnavailable> => {
  // The body may fail after its reader has stopped. Without a listener the error would end the process.
  body.on("error", () => {})
  const stream: Stream.Stream<Uint8Array, StoreFailure> = NodeStream.fromReadable({
    evaluate: () => body,
    onError: (error) => S3Errors.failure("get", error)
  })
  if (reply.ContentRange === undefined && reply.$metadata.httpStatusCode !== partial) {
    return Effect.map(infoOf("get", key, reply), (info) => ({ info, range: undefined, stream }))
  }
  const found = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(reply.ContentRange ?? "")
  if (found === null) return Effect.fail(unknownSize("get"))
  const range = { from: Number(found[1]), to: Number(found[2]) }
  return Effect.map(infoOf("get", key, reply, Number(found[3])), (info) => ({
    info,
    range,
    stream
  }))
}

/** Returns the entity tags as S3 takes them: one, because servers compare lists in different ways. */
const single = (tags: ReadonlyArray<string> | undefined): string | undefined =>
  tags?.length === 1 ? tags[0] : undefined

/** Opens a backend in a bucket. Clients close with the scope. */
export const make = (
  settings: Settings,
  bucket: string
): Effect.Effect<Backend, never, Scope.Scope> =>
  Effect.gen(function* () {
    const config = settingsOf(settings)
    const s3 = yield* client(config)
    const signing = yield* client({ ...config, requestChecksumCalculation: "WHEN_REQUIRED" })

    const head: Backend["head"] = (key) =>
      Effect.tryPromise({
        catch: S3Errors.ofObject("head", key),
        try: (abortSignal) =>
          s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }), { abortSignal })
      }).pipe(Effect.flatMap((reply) => infoOf("head", key, reply)))

    /** Goes on after a read that failed. */
    const afterFailure = (
      key: string,
      options: ReadOptions,
      error: unknown
    ): Effect.Effect<StoredObject, ReadFailure, Scope.Scope> => {
      const { range } = options
      switch (S3Errors.describe(error).status) {
        case 304:
          return Effect.fail(new ObjectNotModified({ etag: undefined, key }))
        case 412:
          return Effect.fail(new ObjectPreconditionFailed({ key }))
        case 416:
          return Effect.flatMap(head(key), ({ size }) => {
            const found = range === undefined ? undefined : resolve(range, size)
            // Some servers refuse a suffix that is longer than the object.
            return found !== undefined && "from" in found && range !== undefined && "last" in range
              ? get(key, { ...options, range: found })
              : Effect.fail(new ObjectRangeNotSatisfiable({ size }))
          })
        default:
          return Effect.fail(S3Errors.ofObject("get", key)(error))
      }
    }

    const get: Backend["get"] = (key, options) =>
      Effect.gen(function* () {
        const { ifMatch, ifNoneMatch, range } = options
        // A list is compared here. The object may change after it, so the read has the tag.
        const several = [ifMatch, ifNoneMatch].some(
          (tags) => tags !== undefined && tags.length !== 1
        )
        let expected = single(ifMatch)
        if (several) {
          const { etag } = yield* head(key)
          if (ifMatch !== undefined && !ifMatch.includes(etag)) {
            return yield* new ObjectPreconditionFailed({ key })
          }
          if (ifNoneMatch?.includes(etag)) return yield* new ObjectNotModified({ etag, key })
          expected = etag
        }
        const command = new GetObjectCommand({
          Bucket: bucket,
          IfMatch: expected,
          IfNoneMatch: single(ifNoneMatch),
          Key: key,
          Range: range === undefined ? undefined : rangeOf(range)
        })
        const opened = Effect.acquireRelease(
          Effect.tryPromise({
            catch: (error) => error,
            try: async (abortSignal) => {
              const reply = await s3.send(command, { abortSignal })
              // What the client has in Node.
              return { body: reply.Body as Readable, reply }
            }
          }),
          ({ body }) => Effect.sync(() => void body.destroy()),
          { interruptible: true }
        )
        return yield* Effect.matchEffect(opened, {
          onFailure: (error) => afterFailure(key, options, error),
          onSuccess: ({ body, reply }) => objectOf(key, reply, body)
        })
      })

    const page = (prefix: string, after: string | undefined) => (token: string | undefined) =>
      Effect.tryPromise({
        catch: (error) => S3Errors.failure("list", error),
        try: (abortSignal) =>
          s3.send(
            new ListObjectsV2Command({
              Bucket: bucket,
              ContinuationToken: token,
              Prefix: prefix,
              StartAfter: token === undefined ? after : undefined
            }),
            { abortSignal }
          )
      }).pipe(
        Effect.flatMap(({ Contents = [], IsTruncated, NextContinuationToken }) => {
          const summaries = Contents.map(({ ETag, Key = "", LastModified, Size = 0 }) => ({
            etag: ETag ?? '""',
            key: Key,
            lastModified: LastModified ?? new Date(0),
            size: Size
          }))
          if (IsTruncated !== true) {
            return Effect.succeed([summaries, Option.none<string | undefined>()] as const)
          }
          return NextContinuationToken === undefined || NextContinuationToken === token
            ? Effect.fail(
                new ObjectStoreUnavailable({
                  operation: "list",
                  reason: "the server does not tell where the list goes on"
                })
              )
            : Effect.succeed([
                summaries,
                Option.some<string | undefined>(NextContinuationToken)
              ] as const)
        })
      )

    return {
      copy: (from, to) =>
        Effect.tryPromise({
          catch: S3Errors.ofObject("copy", from),
          try: (abortSignal) =>
            s3.send(
              new CopyObjectCommand({
                Bucket: bucket,
                CopySource: `${bucket}/${from.split("/").map(encodeURIComponent).join("/")}`,
                Key: to
              }),
              { abortSignal }
            )
        }).pipe(Effect.asVoid),
      delete: (key) =>
        Effect.tryPromise({
          catch: S3Errors.ofObject("delete", key),
          try: (abortSignal) =>
            s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }), { abortSignal })
        }).pipe(
          Effect.asVoid,
          Effect.catchTag("ObjectNotFound", () => Effect.void)
        ),
      get,
      head,
      list: (prefix, after) => Stream.paginate(undefined, page(prefix, after)),
      name: "s3",
      ping: Effect.tryPromise({
        catch: (error) => {
          const { status } = S3Errors.describe(error)
          return status === 404
            ? new ObjectStoreUnavailable({
                operation: "ping",
                reason: `there is no bucket ${JSON.stringify(bucket)}: create it, or correct objectStore.bucket`
              })
            : S3Errors.failure("ping", error)
        },
        try: (abortSignal) => s3.send(new HeadBucketCommand({ Bucket: bucket }), { abortSignal })
      }).pipe(Effect.asVoid),
      put: (key, upload, conditions) =>
        S3Upload.put({ bucket, key, partSize: settings.partSize, s3 }, upload, conditions),
      signer: S3Signer.make(signing, bucket)
    }
  })

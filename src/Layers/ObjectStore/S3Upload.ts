/** Uploads to S3: one request for short content, else one for each part. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand
} from "@aws-sdk/client-s3"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import {
  type ObjectPreconditionFailed,
  ObjectStoreUnavailable
} from "../../Contract/ObjectErrors.ts"
import type { Upload } from "./Backend.ts"
import type { StoreFailure, WriteConditions } from "./ObjectStore.ts"
import * as Parts from "./Parts.ts"
import * as S3Errors from "./S3Errors.ts"

/** How many parts are sent at once. */
const concurrency = 2

/** How long an upload that has failed waits until its parts are removed. */
const abortTimeout = "10 seconds"

interface Target {
  readonly bucket: string
  readonly key: string
  readonly partSize: number
  readonly s3: S3Client
}

type Failure = ObjectPreconditionFailed | StoreFailure

/** Sends content of several parts. If it does not come to its end, what was sent is removed. */
const multipart = <E, R>(
  { bucket, key, partSize, s3 }: Target,
  parts: Stream.Stream<Uint8Array, E, R>,
  free: Array<Uint8Array>,
  { contentType, metadata }: Upload<unknown, unknown>,
  { ifMatch, ifNoneMatch }: WriteConditions
): Effect.Effect<string, E | Failure, R> => {
  const target = { Bucket: bucket, Key: key }
  const call = <A>(run: (abortSignal: AbortSignal) => Promise<A>) =>
    Effect.tryPromise({ catch: S3Errors.ofWrite(key), try: run })
  const created = call((abortSignal) =>
    s3.send(
      new CreateMultipartUploadCommand({
        ...target,
        ContentType: contentType,
        Metadata: { ...metadata }
      }),
      { abortSignal }
    )
  )
  return Effect.acquireUseRelease(
    created,
    ({ UploadId }) =>
      Effect.gen(function* () {
        const sent = yield* parts.pipe(
          Stream.zipWithIndex,
          Stream.mapEffect(
            ([Body, index]) =>
              Effect.map(
                call((abortSignal) =>
                  s3.send(
                    new UploadPartCommand({ ...target, Body, PartNumber: index + 1, UploadId }),
                    { abortSignal }
                  )
                ),
                ({ $metadata: _, ...part }) => {
                  // The server has it, so a later part may have its buffer.
                  if (Body.length === partSize) free.push(Body)
                  return { ...part, PartNumber: index + 1 }
                }
              ),
            { concurrency }
          ),
          Stream.runCollect
        )
        const { ETag = '""' } = yield* call((abortSignal) =>
          s3.send(
            new CompleteMultipartUploadCommand({
              ...target,
              IfMatch: ifMatch,
              IfNoneMatch: ifNoneMatch,
              MultipartUpload: { Parts: sent },
              UploadId
            }),
            { abortSignal }
          )
        )
        return ETag
      }),
    ({ UploadId }, exit) =>
      exit._tag === "Success"
        ? Effect.void
        : Effect.tryPromise({
            catch: (error) => S3Errors.failure("abort", error),
            try: () => s3.send(new AbortMultipartUploadCommand({ ...target, UploadId }))
          }).pipe(
            Effect.timeoutOrElse({
              duration: abortTimeout,
              orElse: () =>
                Effect.fail(
                  new ObjectStoreUnavailable({
                    operation: "abort",
                    reason: "the server did not answer in time"
                  })
                )
            }),
            Effect.catch((failure) =>
              Effect.logWarning(
                `The parts of an upload to ${JSON.stringify(key)} were not removed: ${failure.reason}. Give the bucket a rule that removes incomplete uploads.`
              )
            )
          )
  )
}

/** Stores content when all of it has come. Returns its entity tag. */
export const put = <E, R>(
  target: Target,
  upload: Upload<E, R>,
  conditions: WriteConditions
): Effect.Effect<string, E | Failure, R> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { bucket, key, partSize, s3 } = target
      const free: Array<Uint8Array> = []
      const pull = yield* Stream.toPull(Parts.of(upload.stream, partSize, free))
      const next = Pull.catchDone(pull, () => Effect.succeed([]))
      const first: ReadonlyArray<Uint8Array> = yield* next
      // The content is short if its end comes after one part. The end also tells that its checks are done.
      const second: ReadonlyArray<Uint8Array> = first.length === 1 ? yield* next : []
      const begun = [...first, ...second]
      if (begun.length > 1) {
        const rest = Stream.fromPull(Effect.succeed(pull))
        const parts = Stream.concat(Stream.fromArray(begun), rest)
        return yield* multipart(target, parts, free, upload, conditions)
      }
      const { contentType, metadata } = upload
      const { ETag = '""' } = yield* Effect.tryPromise({
        catch: S3Errors.ofWrite(key),
        try: (abortSignal) =>
          s3.send(
            new PutObjectCommand({
              Body: begun[0] ?? new Uint8Array(0),
              Bucket: bucket,
              ContentType: contentType,
              IfMatch: conditions.ifMatch,
              IfNoneMatch: conditions.ifNoneMatch,
              Key: key,
              Metadata: { ...metadata }
            }),
            { abortSignal }
          )
      })
      return ETag
    })
  )

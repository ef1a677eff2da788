/** Presigned requests of S3. */
import { GetObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3"
import { createPresignedPost } from "@aws-sdk/s3-presigned-post"
import { getSignedUrl } from "@aws-sdk/s3-request-presigner"
import * as Effect from "effect/Effect"
import type { Signer } from "./Backend.ts"
import type { StoreFailure } from "./ObjectStore.ts"
import * as S3Errors from "./S3Errors.ts"

const sign = <A>(run: () => Promise<A>): Effect.Effect<A, StoreFailure> =>
  Effect.tryPromise({ catch: (error) => S3Errors.failure("presign", error), try: run })

/**
 * Creates the signer of a bucket. The client must calculate no checksums: it would sign the checksum of an empty
 * body, and the store would refuse every other.
 */
export const make = (client: S3Client, bucket: string): Signer => ({
  get: (key, contentDisposition, expiresIn) =>
    sign(async () => {
      const command = new GetObjectCommand({
        Bucket: bucket,
        Key: key,
        ResponseContentDisposition: contentDisposition
      })
      return { headers: {}, method: "GET", url: await getSignedUrl(client, command, { expiresIn }) }
    }),
  post: (key, { contentType, maxBytes, minBytes }, expiresIn) =>
    sign(() =>
      createPresignedPost(client, {
        Bucket: bucket,
        Conditions: [["content-length-range", minBytes, maxBytes]],
        Expires: expiresIn,
        Fields: { "Content-Type": contentType },
        Key: key
      })
    ),
  put: (key, { contentType, size }, expiresIn) =>
    sign(async () => {
      const command = new PutObjectCommand({
        Bucket: bucket,
        ContentLength: size,
        ContentType: contentType,
        Key: key
      })
      // Without this a client could send another type or length.
      const signableHeaders = new Set(["content-length", "content-type"])
      return {
        headers: { "content-length": String(size), "content-type": contentType },
        method: "PUT",
        url: await getSignedUrl(client, command, { expiresIn, signableHeaders })
      }
    })
})

/** The configuration section `objectStore`. */
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"
import { Timer } from "../../Config/Timer.ts"

const mebibyte = 2 ** 20

/** The most parts of one object, as S3 has it. */
const maxParts = 10_000

const Text = Schema.String.check(Schema.isMinLength(1))

const Checksums = Schema.Literals(["WHEN_REQUIRED", "WHEN_SUPPORTED"])

const fields = {
  accessKeyId: Schema.optionalKey(Config.Secret),
  backend: Schema.Literals(["directory", "memory", "s3"]).pipe(Config.withDefault("memory")),
  bucket: Schema.optionalKey(Text),
  directory: Schema.optionalKey(Text),
  endpoint: Schema.optionalKey(
    Schema.String.check(Schema.isPattern(/^https?:\/\/[^\s/@?#]+\/?$/)).pipe(
      Config.expected('a URL without a path, such as "http://127.0.0.1:9000"')
    )
  ),
  forcePathStyle: Schema.Boolean.pipe(Config.withDefault(false)),
  maxMemory: Config.ByteSize.check(Schema.isGreaterThanOrEqualTo(mebibyte)).pipe(
    Config.expected('a size of at least "1 MiB"'),
    Config.withDefault("64 MiB")
  ),
  maxSize: Config.ByteSize.pipe(Config.withDefault("5 GiB")),
  partSize: Config.ByteSize.check(
    Schema.isBetween({ maximum: 512 * mebibyte, minimum: 5 * mebibyte })
  ).pipe(Config.expected('a size from "5 MiB" to "512 MiB"'), Config.withDefault("8 MiB")),
  region: Schema.optionalKey(Text),
  requestChecksumCalculation: Checksums.pipe(Config.withDefault("WHEN_SUPPORTED")),
  responseChecksumValidation: Checksums.pipe(Config.withDefault("WHEN_SUPPORTED")),
  secretAccessKey: Schema.optionalKey(Config.Secret),
  sessionToken: Schema.optionalKey(Config.Secret),
  timeout: Timer.pipe(Config.withDefault("30 seconds"))
}

/**
 * Section `objectStore`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `accessKeyId` | what the AWS SDK finds | the credentials of `s3`: all of the `AWS_` variables, the shared files and the role of the machine work without this key |
 * | `backend` | `memory` | where objects are kept: `s3`, `directory` or `memory`; variable `OBJECT_STORE_BACKEND` |
 * | `bucket` | | the bucket of `s3`, which has to exist; variable `OBJECT_STORE_BUCKET` |
 * | `directory` | | the directory of `directory`; variable `OBJECT_STORE_DIRECTORY` |
 * | `endpoint` | that of AWS | the server of `s3`, if it is another than that of AWS; variable `OBJECT_STORE_ENDPOINT` |
 * | `forcePathStyle` | false | whether the bucket is in the path and not in the host name, as servers other than AWS need it |
 * | `maxMemory` | 64 MiB | the bytes of `memory`. A write beyond them fails |
 * | `maxSize` | 5 GiB | the longest content of an object, unless `maxBytes` of `put` has another limit |
 * | `partSize` | 8 MiB | the bytes of each part of a longer upload to `s3`. Four parts are in memory at once |
 * | `region` | what the AWS SDK finds | the region of `s3` |
 * | `requestChecksumCalculation` | `WHEN_SUPPORTED` | `WHEN_REQUIRED` for servers that do not know the checksums of the AWS SDK |
 * | `responseChecksumValidation` | `WHEN_SUPPORTED` | `WHEN_REQUIRED` if the server sends checksums that the AWS SDK cannot check |
 * | `secretAccessKey` | what the AWS SDK finds | the secret of `accessKeyId` |
 * | `sessionToken` | none | the token of temporary credentials |
 * | `timeout` | 30 s | how long a request to `s3` waits for the server |
 */
export const ObjectStoreConfig = Config.section("objectStore", fields, {
  check: (values, environment) => {
    const problems: Array<Config.SectionIssue> = []
    const { accessKeyId, backend, bucket, directory, maxSize, partSize, secretAccessKey } = values
    // A test may replace the layer, which then needs neither.
    if (environment !== "test") {
      if (backend === "s3" && bucket === undefined) {
        problems.push({ key: "bucket", reason: 'the backend "s3" needs a bucket' })
      }
      if (backend === "directory" && directory === undefined) {
        problems.push({ key: "directory", reason: 'the backend "directory" needs a directory' })
      }
    }
    if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
      problems.push({
        key: accessKeyId === undefined ? "accessKeyId" : "secretAccessKey",
        reason: "accessKeyId and secretAccessKey belong together"
      })
    }
    if (maxSize > partSize * maxParts) {
      problems.push({
        expected: `a size of at most ${partSize * maxParts} bytes, or a larger partSize`,
        key: "maxSize",
        reason: `an upload has at most ${maxParts} parts`
      })
    }
    return problems
  },
  variables: {
    OBJECT_STORE_BACKEND: "backend",
    OBJECT_STORE_BUCKET: "bucket",
    OBJECT_STORE_DIRECTORY: "directory",
    OBJECT_STORE_ENDPOINT: "endpoint"
  }
})

/** The decoded section `objectStore`. */
export type Settings = Schema.Struct<typeof fields>["Type"]

/** The configuration section `templates`. */
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"

/**
 * Section `templates`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `maxSize` | 8 MiB | the longest page, in characters. A template that prints more fails |
 */
export const TemplatesConfig = Config.section("templates", {
  maxSize: Config.ByteSize.check(Schema.isGreaterThanOrEqualTo(1024)).pipe(
    Config.expected('a size of at least "1 KiB"'),
    Config.withDefault("8 MiB")
  )
})

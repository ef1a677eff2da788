/** Secrets by name, from mounted files, the environment or AWS Secrets Manager. */

export {
  type SecretError,
  SecretNotFound,
  Secrets,
  type SecretsShape,
  type SecretStats,
  SecretUnavailable
} from "../../Plugin/Secrets.ts"
export { SecretsClientMissing } from "./AwsProvider.ts"
export { SecretsConfig } from "./SecretsConfig.ts"
export { get, plugin } from "./SecretsPlugin.ts"

/**
 * The errors of DynamoDB, for contracts. This module has no server code, so a browser can import it.
 */
import {
  DynamoRefused,
  DynamoThrottled,
  DynamoUnavailable,
  InvalidItem,
  ItemTooLarge,
  ItemUndecodable,
  TableNotFound
} from "../../Contract/DynamoErrors.ts"

export {
  DynamoRefused,
  DynamoThrottled,
  DynamoUnavailable,
  InvalidItem,
  ItemTooLarge,
  ItemUndecodable,
  TableNotFound
} from "../../Contract/DynamoErrors.ts"

/** The errors of an endpoint that reads items. */
export const readErrors = [
  DynamoRefused,
  DynamoThrottled,
  DynamoUnavailable,
  InvalidItem,
  ItemUndecodable,
  TableNotFound
] as const

/** The errors of an endpoint that writes items. */
export const writeErrors = [...readErrors, ItemTooLarge] as const

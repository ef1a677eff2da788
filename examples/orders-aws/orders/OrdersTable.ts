/** The table of the orders. */
import { Table } from "flange/DynamoDb"
import { Order } from "./Order.ts"

export const OrdersTable = Table.make("orders", {
  partitionKey: "customer",
  schema: Order,
  sortKey: "id"
})

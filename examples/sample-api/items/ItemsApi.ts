/** The contract of the items: no server code, so that a browser can import it. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import { ApiError, Created, Pagination } from "flange/Contract"
import { Item, ItemChanges, ItemDraft, ItemId } from "./Item.ts"

export class ItemNotFound extends ApiError.make<ItemNotFound>()(
  "ItemNotFound",
  { code: "ITEM_NOT_FOUND", detail: ({ id }) => `Item ${id} does not exist`, status: 404 },
  { id: ItemId }
) {}

const params = { id: ItemId }

export class ItemsApi extends HttpApiGroup.make("items").add(
  HttpApiEndpoint.post("create", "/v1/items", { payload: ItemDraft, success: Created(Item) }),
  HttpApiEndpoint.get("list", "/v1/items", {
    query: Pagination.query,
    success: Pagination.Page(Item)
  }),
  HttpApiEndpoint.get("read", "/v1/items/:id", { error: ItemNotFound, params, success: Item }),
  HttpApiEndpoint.delete("remove", "/v1/items/:id", {
    error: ItemNotFound,
    params,
    success: HttpApiSchema.NoContent
  }),
  // PUT replaces the whole item: an absent description is removed.
  HttpApiEndpoint.put("replace", "/v1/items/:id", {
    error: ItemNotFound,
    params,
    payload: ItemDraft,
    success: Item
  }),
  // PATCH changes only the given fields: `null` removes the description.
  HttpApiEndpoint.patch("update", "/v1/items/:id", {
    error: ItemNotFound,
    params,
    payload: ItemChanges,
    success: Item
  })
) {}

/** The contract of the products. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import { ApiError, Authentication, Created, Pagination } from "flange/Contract"
import { Product, ProductChanges, ProductDraft, ProductId } from "./Product.ts"

export class ProductNotFound extends ApiError.make<ProductNotFound>()(
  "ProductNotFound",
  { code: "PRODUCT_NOT_FOUND", detail: ({ id }) => `Product ${id} does not exist`, status: 404 },
  { id: ProductId }
) {}

/** Not a 404: every caller sees all products, so the reply tells nothing new. */
export class ProductNotOwned extends ApiError.make<ProductNotOwned>()(
  "ProductNotOwned",
  {
    code: "PRODUCT_NOT_OWNED",
    detail: ({ id }) => `Product ${id} belongs to another user`,
    status: 403
  },
  { id: ProductId }
) {}

const params = { id: ProductId }

export class ProductsApi extends HttpApiGroup.make("products")
  .add(
    HttpApiEndpoint.post("create", "/v1/products", {
      payload: ProductDraft,
      success: Created(Product)
    }),
    HttpApiEndpoint.get("list", "/v1/products", {
      query: Pagination.query,
      success: Pagination.Page(Product)
    }),
    HttpApiEndpoint.get("read", "/v1/products/:id", {
      error: ProductNotFound,
      params,
      success: Product
    }),
    HttpApiEndpoint.delete("remove", "/v1/products/:id", {
      error: [ProductNotFound, ProductNotOwned],
      params,
      success: HttpApiSchema.NoContent
    }),
    HttpApiEndpoint.patch("update", "/v1/products/:id", {
      error: [ProductNotFound, ProductNotOwned],
      params,
      payload: ProductChanges,
      success: Product
    })
  )
  // Clients created from the contract know the 401 because of it.
  .middleware(Authentication.Default) {}

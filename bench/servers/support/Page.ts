/** A page of products, as the servers of `cache.ts` reply with it. */

/** How many products a page has. */
const length = 20

/** How long its reply is cached, in seconds. */
export const seconds = 60

/** Makes the page. */
export const page = () => ({
  products: Array.from({ length }, (_, i) => ({
    id: i + 1,
    name: `Product ${i + 1}`,
    price: 1.5 * i,
    tags: ["new", "offer"]
  }))
})

// What protects the routes of the examples, as lines to review. After a change that is meant:
// npx vitest run test/examples/routes.test.ts --update
import { App } from "flange"
import { expect, it } from "vitest"
import { app as basic } from "../../examples/basic/app.ts"
import { app as behindNginx } from "../../examples/behind-nginx/app.ts"
import { app as benchApi } from "../../examples/bench-api/app.ts"
import { app as clusterJobs } from "../../examples/cluster-jobs/app.ts"
import { app as shop } from "../../examples/microservices/shop/app.ts"
import { app as stock } from "../../examples/microservices/stock/app.ts"
import { app as migrateFromExpress } from "../../examples/migrate-from-express/app.ts"
import { app as multiTenant } from "../../examples/multi-tenant/app.ts"
import { app as ordersAws } from "../../examples/orders-aws/app.ts"
import { app as orgOverlay } from "../../examples/org-overlay/app.ts"
import { app as pages } from "../../examples/pages/app.ts"
import { app as realtime } from "../../examples/realtime/app.ts"
import { app as recipeApi } from "../../examples/recipe-api/app.ts"
import { app as sampleApi } from "../../examples/sample-api/app.ts"
import { app as uploads } from "../../examples/uploads/app.ts"
import * as Handover from "../../src/Plugin/Handover.ts"

const snapshotOf = (name: string, app: App.Any) =>
  expect(App.routesTable(App.describe(app))).toMatchFileSnapshot(`routes/${name}.txt`)

it.each(
  Object.entries({
    basic,
    "behind-nginx": behindNginx,
    "bench-api": benchApi,
    "cluster-jobs": clusterJobs,
    "microservices-shop": shop,
    "microservices-stock": stock,
    "migrate-from-express": migrateFromExpress,
    "multi-tenant": multiTenant,
    "orders-aws": ordersAws,
    "org-overlay": orgOverlay,
    pages,
    realtime,
    "recipe-api": recipeApi,
    "sample-api": sampleApi,
    uploads
  })
)("the routes of %s are those in its snapshot", snapshotOf)

it("the routes of hello, whose file runs the app, are those in its snapshot", async () => {
  const apps: Array<App.Any> = []
  await Handover.during(
    (app) => apps.push(app),
    () => import("../../examples/hello/main.ts")
  )
  expect(apps).toHaveLength(1)
  await snapshotOf("hello", apps[0]!)
})

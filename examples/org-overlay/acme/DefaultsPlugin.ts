/** The settings of the organisation. Files and variables of a service override them. */
import { Plugin } from "flange"

/** Services run on machines and in tests of the organisation without any setting. */
const local = {
  acmeAuth: { jwtSecret: "local-secret-of-acme-never-use-it-elsewhere" },
  server: { host: "127.0.0.1" }
}

const deployed = {
  app: { drainDelay: "10s" },
  secureHeaders: { hsts: "max-age=63072000; includeSubDomains" },
  server: { trustedProxies: ["10.0.0.0/8"] }
}

export const DefaultsPlugin = Plugin.make("acme:defaults", {
  defaults: (environment) => (environment === "local" || environment === "test" ? local : deployed)
})

// Loaded in each test file: `fetch` closes a connection once it is idle. A drain keeps idle connections for
// a while, because a request may be on its way, and each test that stops an app would wait for that.
import { Agent, setGlobalDispatcher } from "undici"

setGlobalDispatcher(new Agent({ keepAliveMaxTimeout: 1, keepAliveTimeout: 1 }))

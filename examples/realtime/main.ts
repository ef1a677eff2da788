/**
 * A chat with rooms: messages over WebSockets, the list of who is there over server-sent events, and a page
 * in plain HTML. What one replica gets, all replicas send.
 *
 * Run: npm run example examples/realtime/main.ts                 (port 8080, one process)
 *      REDIS_URL=redis://127.0.0.1:6379 npm run example examples/realtime/main.ts redis
 *      DATABASE_URL=postgres://127.0.0.1/chat npm run example examples/realtime/main.ts database
 *
 * The last two may run several times, with PORT=8081 before the second: both show the same rooms.
 *
 * Try: open http://localhost:8080/?name=Ada and http://localhost:8080/?name=Bob in two windows
 *      curl localhost:8080/v1/rooms/lobby/members
 *      curl -N localhost:8080/v1/rooms/lobby/members/events        (and close a window)
 */
import { App } from "flange"
import { app, overDatabase, overRedis } from "./app.ts"

switch (process.argv[2]) {
  case undefined:
    App.run(app)
    break
  case "database":
    App.run(overDatabase)
    break
  case "redis":
    App.run(overRedis)
    break
  default:
    throw new Error("Name what connects the replicas, redis or database, or nothing")
}

/**
 * A service that only nginx reaches: the fast listener, the addresses of clients from nginx, limits for
 * each of them, one request id in both logs, and a stream that nginx does not hold back.
 *
 * Run: npm run example examples/behind-nginx/main.ts
 *      sudo nginx -c "$PWD/deploy/nginx/nginx.conf" -g 'daemon off;'        (in another terminal)
 *
 * Try: curl -i localhost/v1/visitor                    (the address of curl, and the id of nginx's log)
 *      curl localhost/v1/visitor -H 'x-forwarded-for: 6.6.6.6'        (nginx throws the header away)
 *      curl -N localhost/v1/ticks                      (a line each second)
 *      for i in $(seq 30); do curl -s -o /dev/null -w '%{http_code} ' localhost/v1/visitor; done
 *      curl --interface 127.0.0.2 localhost/v1/visitor (another address, another limit)
 *      curl -X BREW localhost/v1/visitor               (405 by nginx, as a problem document)
 *
 * The configuration of nginx is explained in docs/behind-a-proxy.md.
 */
import { App } from "flange"
import { app } from "./app.ts"

App.run(app)

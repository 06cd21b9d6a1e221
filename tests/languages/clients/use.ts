// Creates, is refused, lists and turns pages, by types that were made from the desk's own document.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { argv: string[]; exitCode?: number };

function check(holds: boolean, what: unknown): asserts holds {
  if (!holds) throw new Error(JSON.stringify(what));
}

const client = (person: string) =>
  createClient<paths>({ baseUrl: process.argv[2], headers: { Authorization: `Bearer demo-${person}` } });
const [amara, kofi] = [client("amara"), client("kofi")];

const keys: string[] = [];
for (let number = 0; number < 5; number++) {
  const { data, error } = await amara.POST("/api/v1/tickets", {
    body: {
      request_type: "incident", subject: `VPN is down, ${number}`, body: "Nobody can reach it.",
      fields: { service: "vpn", "people-affected": 40 },
    },
  });
  check(data !== undefined, error);
  keys.push(data.key);
}

const refused = await amara.POST("/api/v1/tickets", {
  body: { request_type: "hardware", subject: "A laptop", body: "soon" },
});
const problem: components["schemas"]["Problem"] | undefined = refused.error;
check(problem?.type === "/problems/rejected" && problem.status === 422, problem);
check((problem.problems ?? []).some((one) => one.field === "device"), problem);

const seen: string[] = [];
let after: string | undefined;
do {
  const { data, error } = await kofi.GET("/api/v1/tickets", { params: { query: { limit: 2, after } } });
  check(data !== undefined, error);
  seen.push(...data.tickets.map((ticket) => ticket.key));
  after = data.next ?? undefined;
} while (after);
check(seen.sort().join() === keys.sort().join(), seen);

const edit = (tag: string) =>
  kofi.PATCH("/api/v1/tickets/{key}", {
    params: { path: { key: keys[0] }, header: { "If-Match": tag } },
    body: { priority: "critical", reason: "all of Berlin" },
  });
check((await edit('"77"')).error?.status === 412, "stale");
check((await edit('"1"')).data?.priority === "critical", "edited");
console.log("all of it works");

// Asks a rule under plain Node, without WebAssembly: for the rule's own tests.
// `ruledesk rule test` runs the manifest's examples in the desk's sandbox; this is for what lies between the lines.

import { host } from "./host.js";
import { Settings } from "./settings.js";

const AT = Date.UTC(2026, 0, 5, 12);

const person = () => ({
  id: "amara", name: "Amara Okafor", email: "amara@example.org", department: "Finance", title: "Controller",
  location: "Berlin", groups: [], managers: [], vip: false, attributes: [],
});

const now = () => ({ at: AT, utcOffset: 0, localDay: 20458, weekday: 1, minuteOfDay: 720, inBusinessHours: true });

const ticket = () => ({
  requestType: "incident", channel: "api", subject: "", body: "", fields: [], tags: [], signals: [], attachments: [],
  createdAt: AT, attributes: [],
});

const soFar = () => ({
  category: null, tags: [], kind: "incident", impact: null, urgency: null, priority: null, team: null, assignee: null,
  attributes: [],
});

const whole = {
  intake: () => ({ now: now(), ticket: ticket(), requester: person(), submittedBy: "amara", headers: [], recent: [] }),
  categorization: () => ({ now: now(), ticket: ticket(), requester: person(), soFar: soFar() }),
  priority: () => ({ now: now(), ticket: ticket(), requester: person(), soFar: soFar() }),
  routing: () => ({ now: now(), ticket: ticket(), requester: person(), soFar: soFar() }),
  access: () => ({
    now: now(), ticket: ticket(), requester: person(), soFar: soFar(),
    request: { kind: "new", app: "", tier: "", role: null, groups: [], durationHours: null, justification: "" },
    item: { app: "", name: "", tier: "", risk: "low", maxDurationHours: 720, owner: null, groups: [], seatsLeft: null, attributes: [] },
    subject: person(), grants: [], history: { requested: 0, approved: 0, denied: 0, revoked: 0 },
    peers: { departmentSize: 0, departmentHolders: 0 },
  }),
};

/** A stage's whole input: what `sparse` leaves out is empty, and the moment is a Monday noon. */
export function input(stage, sparse = {}) {
  return merged(whole[stage](), sparse);
}

/** What a rule answers. Throws what the rule throws, and an error with every sentence if the settings are wrong. */
export function ask(rule, stage, sparse = {}, settings = {}) {
  return rule[stage](input(stage, sparse), configured(rule, settings));
}

/** The sentences that an admin reads about these settings; an empty list if they are right. */
export function problems(rule, settings = {}) {
  const given = new Settings(settings);
  rule.settings?.(given);
  return given.problems();
}

/** Reference tables for `lookup`: `{ table: { key: { column: "text" } } }`. */
export function tables(all) {
  host.lookup = (table, key) => {
    if (!(table in all)) throw new Error(`the table \`${table}\` does not exist`);
    const row = all[table][key];
    return row && Object.entries(row).map(([name, value]) => ({ name, value }));
  };
}

function configured(rule, settings) {
  const given = new Settings(settings);
  const own = rule.settings?.(given);
  const wrong = given.problems();
  if (wrong.length > 0) throw new Error(wrong.join(" "));
  return own;
}

function merged(base, over) {
  for (const [name, value] of Object.entries(over)) {
    if (name === "fields" && !Array.isArray(value)) base[name] = fields(value);
    else if (isTable(value) && isTable(base[name])) merged(base[name], value);
    else base[name] = value;
  }
  return base;
}

const isTable = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

const TAGS = { string: "text", number: "number", boolean: "flag", object: "choices" };

function fields(table) {
  return Object.entries(table).map(([name, value]) => ({
    name,
    value: isTable(value) ? value : { tag: TAGS[typeof value], val: value },
  }));
}

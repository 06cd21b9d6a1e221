// The reference rule in JavaScript. What it does, and why it makes no sense, is in `tests/conformance/README.md`.

import { defineRule, log } from "#ruledesk";
import { host } from "../.ruledesk/sdk/host.js";
import { attributes as canonicalAttributes, digest, inputs, number } from "./canonical.js";
import { clock, drift, isDay, lower, sorted, squeeze, united } from "./words.js";

const MOST = (1n << 64n) - 1n;
const isText = (value) => typeof value === "string" && value !== "";

function settings(given) {
  const table = given.table;
  const must = (good, name, what) => good || given.problem(`\`${name}\` must be ${what}`);
  const whole = (name, most) => {
    const value = table[name];
    must(Number.isInteger(value) && value >= 1 && value <= most, name, `a whole number from 1 to ${most}`);
  };
  const { words } = table;
  must(Array.isArray(words) && words.length > 0 && words.every(isText), "words", "a list of texts, none of them empty");
  for (const name of ["category", "level", "team", "table"]) must(isText(table[name]), name, "a text, not empty");
  must(Number.isFinite(table.factor), "factor", "a number");
  whole("body-max", 1000);
  whole("max-hours", 8784);
  must(table.trace === undefined || typeof table.trace === "boolean", "trace", "true or false");
  return table;
}

/** What every stage does first. */
function begin(stage, input, settings) {
  const row = host.lookup(settings.table, input.requester.id) ?? null;
  const text = inputs[stage](input);
  const hash = digest(text);
  log.info(`${stage} ${hash}`);
  if (input.ticket.subject === "") log.warn("no subject");
  if (settings.trace) log.debug(text);
  if (input.ticket.tags.includes("fail")) {
    log.error("giving up");
    throw new Error(`asked to fail: ${input.ticket.subject}`);
  }
  const attributes = [
    { name: "digest", value: hash },
    { name: "clock", value: clock(input.now) },
    { name: "drift", value: drift(input.now) },
    { name: "row", value: row === null ? "none" : canonicalAttributes(row) },
  ];
  return { attributes, row };
}

function mentioned(settings, ticket) {
  const text = lower(`${ticket.subject} ${ticket.body}`);
  return united(settings.words.map(lower).filter((word) => text.includes(word)));
}

function problemOf({ name: field, value: { tag, val } }) {
  if (tag === "text" && val === "") return { field, code: "empty", message: `\`${field}\` is empty` };
  if (tag === "date" && !isDay(val)) return { field, code: "date", message: `\`${val}\` is no day` };
  if (tag === "choices") {
    const twice = val.find((choice, at) => val.indexOf(choice) < at);
    if (twice !== undefined) return { field, code: "twice", message: `\`${twice}\` is chosen twice` };
  }
  return null;
}

function changed({ tag, val }, factor) {
  const change = {
    text: squeeze,
    number: (number) => (Number.isFinite(number * factor) ? number * factor : number),
    flag: (flag) => !flag,
    date: (date) => date,
    choice: lower,
    choices: sorted,
  };
  return { tag, val: change[tag](val) };
}

function changes(input, settings) {
  const { ticket, now } = input;
  const signals = input.submittedBy === input.requester.id ? [] : ["on-behalf"];
  if (ticket.attachments.length > 0) {
    const size = ticket.attachments.reduce((sum, attachment) => sum + BigInt(attachment.size), 0n);
    signals.push(`size-${size > MOST ? MOST : size}`);
  }
  const body = Array.from(ticket.body);
  const subject = squeeze(ticket.subject);
  const repeated = input.recent.find((recent) => {
    const age = BigInt(now.at) - BigInt(recent.createdAt);
    return (
      recent.requestType === ticket.requestType &&
      lower(squeeze(recent.subject)) === lower(subject) &&
      recent.state !== "closed" &&
      age >= 0n &&
      age <= 604800000n
    );
  });
  return {
    subject: subject === ticket.subject ? null : subject,
    body: body.length > settings["body-max"] ? `${body.slice(0, settings["body-max"]).join("")}…` : null,
    fields: ticket.fields.map(({ name, value }) => ({ name, value: changed(value, settings.factor) })),
    tags: mentioned(settings, ticket).slice(0, 1).map((word) => `mentions-${word}`),
    signals,
    duplicateOf: repeated?.key ?? null,
  };
}

function steps(input) {
  const steps = input.subject.managers.map((manager) => ({ approvers: [manager], needed: 1, dueInHours: 24 }));
  const { owner, app, maxDurationHours } = input.item;
  if (typeof owner === "string") {
    steps.push({ approvers: [owner, `group:${app}`], needed: 2, dueInHours: Math.min(maxDurationHours * 2, 4294967295) });
  }
  return steps.length > 0 ? steps : [{ approvers: ["group:desk"], needed: 1, dueInHours: 4 }];
}

export default defineRule({
  settings,

  intake(input, settings) {
    const { attributes } = begin("intake", input, settings);
    const header = input.headers.find((header) => header.name === "message-id");
    attributes.push({ name: "header", value: header?.value ?? "" });
    const problems = input.ticket.fields.map(problemOf).filter((problem) => problem !== null);
    if (problems.length > 0) {
      return { decision: { tag: "reject", val: problems }, reason: `problems: ${problems.length}`, attributes };
    }
    return { decision: { tag: "accept", val: changes(input, settings) }, reason: `accepted at ${clock(input.now)}`, attributes };
  },

  categorization(input, settings) {
    const { attributes } = begin("categorization", input, settings);
    const [word] = mentioned(settings, input.ticket);
    if (word !== undefined) {
      const tags = united(input.ticket.tags, input.soFar.tags, [word]);
      const kind = input.now.inBusinessHours ? null : "incident";
      const val = { category: settings.category, tags, kind };
      return { decision: { tag: "classify", val }, reason: `it mentions ${word}`, attributes };
    }
    if (input.requester.vip) {
      const val = { category: null, tags: [], kind: input.soFar.kind };
      return { decision: { tag: "classify", val }, reason: "only the kind", attributes };
    }
    return { decision: { tag: "pass" }, reason: "nothing to say", attributes };
  },

  priority(input, settings) {
    const { attributes } = begin("priority", input, settings);
    const numbers = input.ticket.fields.filter(({ value }) => value.tag === "number").map(({ value }) => value.val);
    const x = numbers.reduce((sum, number) => sum + number, 0) * settings.factor;
    const score = x >= 1000000 ? 1000000 : x > -1000000 ? Math.floor(x + 0.5) : -1000000;
    attributes.push({ name: "score", value: String(score) });
    if (numbers.length === 0 && mentioned(settings, input.ticket).length === 0) {
      return { decision: { tag: "pass" }, reason: "nothing to rate", attributes };
    }
    const level = score >= 100 ? "critical" : score >= 10 ? settings.level : "low";
    const val = { impact: input.soFar.urgency ?? null, urgency: input.soFar.impact ?? null, level };
    return { decision: { tag: "rate", val }, reason: `score ${score}`, attributes };
  },

  routing(input, settings) {
    const { attributes, row } = begin("routing", input, settings);
    const team = row?.find((column) => column.name === "team")?.value ?? settings.team;
    const nothing = { team: null, assignee: null, skills: [], strategy: null, tier: null };
    const { assignee } = input.soFar;
    if (input.soFar.team === team) {
      return { decision: { tag: "pass" }, reason: "it is there already", attributes };
    }
    if (typeof assignee === "string" && input.requester.managers.includes(assignee)) {
      return { decision: { tag: "assign", val: { ...nothing, assignee, tier: 255 } }, reason: "a manager has it", attributes };
    }
    const val = {
      ...nothing,
      team,
      skills: mentioned(settings, input.ticket),
      strategy: input.now.weekday >= 6 ? "least-loaded" : null,
      tier: (input.ticket.tags.length % 255) + 1,
    };
    return { decision: { tag: "assign", val }, reason: `${team} at ${clock(input.now)}`, attributes };
  },

  access(input, settings) {
    const { attributes } = begin("access", input, settings);
    const { request, item, history, peers } = input;
    const at = BigInt(input.now.at);
    const left = input.grants
      .filter((grant) => grant.state === "active" && grant.app === request.app)
      .filter((grant) => BigInt(grant.grantedAt) <= at && BigInt(grant.expiresAt) > at)
      .map((grant) => BigInt(grant.expiresAt) - at);
    const remaining = left.reduce((most, time) => (time > most ? time : most), 0n);
    const share = peers.departmentSize === 0 ? 0 : peers.departmentHolders / peers.departmentSize;
    attributes.push({ name: "remaining", value: String(remaining) });
    attributes.push({ name: "history", value: String(history.requested + history.approved + history.denied + history.revoked) });
    attributes.push({ name: "share", value: number(share) });
    const longest = item.maxDurationHours;
    const scope = {
      tier: request.tier,
      role: request.role ?? null,
      groups: sorted(united(item.groups, request.groups)),
      durationHours: Math.min(request.durationHours ?? longest, longest, settings["max-hours"]),
    };
    if (item.seatsLeft === 0) return { decision: { tag: "deny" }, reason: "no seats left", attributes };
    if (item.risk === "high") {
      const val = { steps: steps(input), scope };
      return { decision: { tag: "require-approval", val }, reason: `approvals: ${val.steps.length}`, attributes };
    }
    if ((request.kind === "extend" && left.length > 0) || share >= 0.5) {
      return { decision: { tag: "approve", val: scope }, reason: "common or held", attributes };
    }
    return { decision: { tag: "pass" }, reason: "not common", attributes };
  },
});

// The RuleDesk SDK for JavaScript: how a rule is defined, what it answers, and how it reads its settings.
// Nothing in here needs WebAssembly, so a rule's own tests run under plain Node.

import { host } from "./host.js";

export { lookup } from "./host.js";
export { Settings } from "./settings.js";

/** Marks an object as a rule. It returns the object as it is: its worth is in the types. */
export function defineRule(rule) {
  return rule;
}

/** What a rule decides, with the sentence that says why. */
class Answer {
  constructor(decision) {
    this.decision = decision;
    this.reason = "";
    this.attributes = [];
  }

  because(reason) {
    this.reason = String(reason);
    return this;
  }

  attribute(name, value) {
    this.attributes.push({ name, value: String(value) });
    return this;
  }
}

const answer = (tag, val) => new Answer(val === undefined ? { tag } : { tag, val });

export const pass = (reason = "") => answer("pass").because(reason);

export const accept = (changes = {}) =>
  answer("accept", {
    subject: changes.subject ?? null,
    body: changes.body ?? null,
    fields: Object.entries(changes.fields ?? {}).map(([name, value]) => ({ name, value: toValue(value) })),
    tags: changes.tags ?? [],
    signals: changes.signals ?? [],
    duplicateOf: changes.duplicateOf ?? null,
  });

export const reject = (...problems) => answer("reject", problems.flat());

export const classify = (what) =>
  answer("classify", {
    category: (typeof what === "string" ? what : what.category) ?? null,
    tags: what.tags ?? [],
    kind: what.kind ?? null,
  });

export const rate = (what) => {
  const rating = typeof what === "string" ? { level: what } : what;
  return answer("rate", { impact: rating.impact ?? null, urgency: rating.urgency ?? null, level: rating.level });
};

export const assign = (to) => {
  const destination = typeof to === "string" ? { team: to } : to;
  return answer("assign", {
    team: destination.team ?? null,
    assignee: destination.assignee ?? null,
    skills: destination.skills ?? [],
    strategy: destination.strategy ?? null,
    tier: destination.tier ?? null,
  });
};

const toScope = (scope) => ({
  tier: scope.tier,
  role: scope.role ?? null,
  groups: scope.groups ?? [],
  durationHours: scope.durationHours,
});

export const approve = (scope) => answer("approve", toScope(scope));

export const requireApproval = (steps, scope) =>
  answer("require-approval", {
    steps: steps.map((step) => ({ needed: 1, dueInHours: 72, ...step })),
    scope: toScope(scope),
  });

export const deny = (reason = "") => answer("deny").because(reason);

/** The value of a form field, as plain JavaScript; `undefined` if it is not filled in. */
export function field(ticket, name) {
  return ticket.fields.find((candidate) => candidate.name === name)?.value.val;
}

function toValue(value) {
  switch (typeof value) {
    case "string":
      return { tag: "text", val: value };
    case "number":
      return { tag: "number", val: value };
    case "boolean":
      return { tag: "flag", val: value };
    default:
      return Array.isArray(value) ? { tag: "choices", val: value } : value;
  }
}

/** Writes to the decision record. `console` does the same. */
export const log = {
  debug: (message) => host.log("debug", String(message)),
  info: (message) => host.log("info", String(message)),
  warn: (message) => host.log("warn", String(message)),
  error: (message) => host.log("error", String(message)),
};

// Any value of the contract as one text, and a text's digest.

const list = (item) => (values) => `[${Array.from(values, item).join(",")}]`;
const option = (item) => (value) => (value === null || value === undefined ? "-" : `+${item(value)}`);
const record = (shape) => (value) => `(${Object.entries(shape).map(([name, item]) => item(value[name])).join(",")})`;
const integer = (value) => String(value);
const flag = (value) => (value ? "t" : "f");
const text = (value) => `${utf8(value).length}:${value}`;

export function number(value) {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0).toString(16).padStart(16, "0");
}

const values = { text, number, flag, date: text, choice: text, choices: list(text) };
const value = ({ tag, val }) => `${tag}=${values[tag](val)}`;

export const attributes = list(record({ name: text, value: text }));
const moment = record({ at: integer, utcOffset: integer, localDay: integer, weekday: integer, minuteOfDay: integer, inBusinessHours: flag });
const person = record({
  id: text, name: text, email: text, department: text, title: text, location: text, groups: list(text), managers: list(text), vip: flag, attributes,
});
const ticket = record({
  requestType: text, channel: text, subject: text, body: text, fields: list(record({ name: text, value })), tags: list(text), signals: list(text),
  attachments: list(record({ name: text, mediaType: text, size: integer })), createdAt: integer, attributes,
});
const soFar = record({
  category: option(text), tags: list(text), kind: text, impact: option(text), urgency: option(text), priority: option(text), team: option(text),
  assignee: option(text), attributes,
});
const later = { now: moment, ticket, requester: person, soFar };

/** The canonical text of each stage's input. */
export const inputs = {
  intake: record({
    now: moment, ticket, requester: person, submittedBy: text, headers: attributes,
    recent: list(record({ key: text, requestType: text, subject: text, state: text, createdAt: integer })),
  }),
  categorization: record(later),
  priority: record(later),
  routing: record(later),
  access: record({
    ...later,
    request: record({ kind: text, app: text, tier: text, role: option(text), groups: list(text), durationHours: option(integer), justification: text }),
    item: record({
      app: text, name: text, tier: text, risk: text, maxDurationHours: integer, owner: option(text), groups: list(text), seatsLeft: option(integer),
      attributes,
    }),
    subject: person,
    grants: list(record({ app: text, tier: text, role: option(text), groups: list(text), grantedAt: integer, expiresAt: integer, state: text })),
    history: record({ requested: integer, approved: integer, denied: integer, revoked: integer }),
    peers: record({ departmentSize: integer, departmentHolders: integer }),
  }),
};

function utf8(string) {
  const bytes = [];
  for (const character of string) {
    const code = character.codePointAt(0);
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return bytes;
}

/** 64-bit FNV-1a, in hexadecimal. */
export function digest(string) {
  let hash = 14695981039346656037n;
  for (const byte of utf8(string)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 1099511628211n);
  return hash.toString(16).padStart(16, "0");
}

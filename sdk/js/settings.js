// Reads a rule's settings and collects a sentence for everything that is wrong with them, so that an admin sees all of it
// at once.

/** The `[settings]` table of the manifest. */
export class Settings {
  #table;
  #asked = new Set();
  #problems = [];

  constructor(table) {
    this.#table = table;
  }

  /** The table as it is. What is read from it here counts as known. */
  get table() {
    for (const name of Object.keys(this.#table)) this.#asked.add(name);
    return this.#table;
  }

  /** Adds a problem: one sentence for the admin. */
  problem(sentence) {
    this.#problems.push(sentence);
  }

  text(name, byDefault) {
    return this.#read(name, byDefault, "", "a text", (value) => typeof value === "string" && value.trim() !== "");
  }

  flag(name, byDefault) {
    return this.#read(name, byDefault, false, "true or false", (value) => typeof value === "boolean");
  }

  number(name, { min = -Infinity, max = Infinity, byDefault } = {}) {
    return this.#read(name, byDefault, 0, `a number${range(min, max)}`, (value) => isWithin(value, min, max));
  }

  whole(name, { min = -Infinity, max = Infinity, byDefault } = {}) {
    const fits = (value) => Number.isSafeInteger(value) && isWithin(value, min, max);
    return this.#read(name, byDefault, 0, `a whole number${range(min, max)}`, fits);
  }

  texts(name, byDefault) {
    const fits = (value) =>
      Array.isArray(value) && value.length > 0 && value.every((text) => typeof text === "string" && text.trim() !== "");
    return this.#read(name, byDefault, [], "a list of texts with at least one of them", fits);
  }

  /** Everything that is wrong, settings that nobody has asked for included. */
  problems() {
    const unknown = Object.keys(this.#table).filter((name) => !this.#asked.has(name));
    const known = [...this.#asked].sort().join(", ") || "none";
    return [...this.#problems, ...unknown.map((name) => `\`${name}\` is no setting of this rule: it has ${known}.`)];
  }

  #read(name, byDefault, afterProblem, what, fits) {
    this.#asked.add(name);
    const value = this.#table[name];
    if (value === undefined) {
      if (byDefault !== undefined) return byDefault;
      this.problem(`\`${name}\` is missing: it has to be ${what}.`);
      return afterProblem;
    }
    if (fits(value)) return value;
    this.problem(`\`${name}\` is ${JSON.stringify(value)}: it has to be ${what}.`);
    return afterProblem;
  }
}

const isWithin = (value, min, max) => typeof value === "number" && value >= min && value <= max;

function range(min, max) {
  if (min > -Infinity && max < Infinity) return ` from ${min} to ${max}`;
  if (min > -Infinity) return `, ${min} or more`;
  return max < Infinity ? `, ${max} or less` : "";
}

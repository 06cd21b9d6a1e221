// What a rule can reach outside of itself. In a component these are the desk's functions, under Node they are plain ones,
// which `testing.js` replaces.

export const host = {
  log: (level, message) => console[level](message),
  lookup: () => undefined,
};

/** The row of a reference table, as an object; `undefined` if it has none. The manifest must name the table. */
export function lookup(table, key) {
  const row = host.lookup(table, key);
  return row ? Object.fromEntries(row.map(({ name, value }) => [name, value])) : undefined;
}

// Random numbers that depend on the decision alone: the same question gets the same ones on every host.

/** Mulberry32, begun from the decision's time, its requester and the ticket's subject when the first number is asked for. */
export class Random {
  #state;

  constructor(input) {
    this.next = () => {
      this.#state ??= hash(seed(input));
      this.#state = (this.#state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
  }
}

// Long texts are not worth the fuel: what differs between tickets stands here.
function seed(input) {
  if (typeof input === "string") return input;
  return `${input.now.at} ${input.requester.id} ${input.ticket.createdAt} ${input.ticket.subject.slice(0, 64)}`;
}

/** FNV-1a. */
function hash(text) {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value;
}

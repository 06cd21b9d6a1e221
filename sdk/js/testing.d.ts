// Asks a rule under plain Node, for the rule's own tests.

import type { Answer, FieldValue, Rule } from "./index.js";
import type { access, categorization, intake, priority, routing } from "./contract.js";

interface Inputs {
  intake: intake.Input;
  categorization: categorization.Input;
  priority: priority.Input;
  routing: routing.Input;
  access: access.Input;
}

interface Decisions {
  intake: intake.Decision;
  categorization: categorization.Decision;
  priority: priority.Decision;
  routing: routing.Decision;
  access: access.Decision;
}

/** A part of an input; form fields may be plain values. */
export type Sparse<T> = {
  [K in keyof T]?: K extends "fields"
    ? T[K] | Record<string, FieldValue>
    : T[K] extends unknown[] | null
      ? T[K]
      : T[K] extends object
        ? Sparse<T[K]>
        : T[K];
};

/** A stage's whole input: what `sparse` leaves out is empty, and the moment is a Monday noon. */
export function input<Stage extends keyof Inputs>(stage: Stage, sparse?: Sparse<Inputs[Stage]>): Inputs[Stage];

/** What a rule answers. Throws what the rule throws, and an error with every sentence if the settings are wrong. */
export function ask<Stage extends keyof Inputs, S>(
  rule: Rule<S>,
  stage: Stage,
  sparse?: Sparse<Inputs[Stage]>,
  settings?: Record<string, unknown>,
): Answer<Decisions[Stage]>;

/** The sentences that an admin reads about these settings; an empty list if they are right. */
export function problems<S>(rule: Rule<S>, settings?: Record<string, unknown>): string[];

/** Reference tables for `lookup`: `{ table: { key: { column: "text" } } }`. */
export function tables(all: Record<string, Record<string, Record<string, string>>>): void;

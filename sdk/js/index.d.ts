// The RuleDesk SDK for JavaScript and TypeScript.

import type { Ticket, access, categorization, intake, priority, routing } from "./contract.js";

export type * from "./contract.js";

/** What a rule decides, and the sentence that says why: requesters and agents read it beside the decision. */
export interface Answer<Decision> {
  decision: Decision;
  reason: string;
  attributes: { name: string; value: string }[];
  /** Sets the reason. */
  because(reason: string): this;
  /** Adds a name and a text to the record, for programs. */
  attribute(name: string, value: string | number | boolean): this;
}

type Case<Decision, Tag extends string> = Answer<Extract<Decision, { tag: Tag }>>;

/**
 * A rule: its settings, and a function for each stage that its manifest names.
 *
 * Each function is pure: the same input and settings always give the same answer. `Date.now()` is the decision's time,
 * `Math.random()` depends on the decision alone, `console` writes to the decision's record. What is thrown is recorded with
 * its message and stack, and counts as no answer.
 */
export interface Rule<S = undefined> {
  /** Reads the settings, once, when the rule is loaded. What it returns is in memory before any decision is asked. */
  settings?(given: Settings): S;
  intake?(input: intake.Input, settings: S): Answer<intake.Decision>;
  categorization?(input: categorization.Input, settings: S): Answer<categorization.Decision>;
  priority?(input: priority.Input, settings: S): Answer<priority.Decision>;
  routing?(input: routing.Input, settings: S): Answer<routing.Decision>;
  access?(input: access.Input, settings: S): Answer<access.Decision>;
}

/** Marks the module's default export as a rule, so that editor and compiler know the types of its functions. */
export function defineRule<S = undefined>(rule: Rule<S>): Rule<S>;

/** The `[settings]` table of the manifest. Each method notes a sentence for the admin where the setting is wrong. */
export class Settings {
  constructor(table: Record<string, unknown>);
  /** The table as it is, for settings that the methods cannot read. */
  readonly table: Record<string, unknown>;
  /** Notes a problem: one sentence for the admin. The rule is then not activated. */
  problem(sentence: string): void;
  /** A text that is not empty. */
  text(name: string, byDefault?: string): string;
  flag(name: string, byDefault?: boolean): boolean;
  number(name: string, range?: { min?: number; max?: number; byDefault?: number }): number;
  whole(name: string, range?: { min?: number; max?: number; byDefault?: number }): number;
  /** A list of texts, none of them empty, with at least one. */
  texts(name: string, byDefault?: string[]): string[];
  /** All problems noted so far, and the settings that nobody has asked for. */
  problems(): string[];
}

/** No opinion. */
export function pass(reason?: string): Answer<{ tag: "pass" }>;

/** Intake: the submission may become a ticket, with these changes. */
export function accept(
  changes?: Partial<Omit<intake.Changes, "fields">> & { fields?: Record<string, FieldValue> },
): Case<intake.Decision, "accept">;
/** Intake: what the requester has to mend; at least one problem. */
export function reject(...problems: (intake.Problem | intake.Problem[])[]): Case<intake.Decision, "reject">;

/** Categorization: a category's id, or a category, tags and kind. */
export function classify(what: string | Partial<categorization.Classification>): Case<categorization.Decision, "classify">;

/** Priority: a level's id, or level, impact and urgency. */
export function rate(what: string | (Partial<priority.Rating> & { level: string })): Case<priority.Decision, "rate">;

/** Routing: a team's id, or team, assignee, skills, strategy and tier. */
export function assign(to: string | Partial<routing.Destination>): Case<routing.Decision, "assign">;

type Scope = Partial<access.Scope> & { tier: string; durationHours: number };

/** Access: granted, if no other rule asks for a person or denies. */
export function approve(scope: Scope): Case<access.Decision, "approve">;
/** Access: granted when people have approved. One approver is needed and 72 hours are given, if a step says nothing else. */
export function requireApproval(
  steps: (Partial<access.ApprovalStep> & { approvers: string[] })[],
  scope: Scope,
): Case<access.Decision, "require-approval">;
/** Access: denied, whatever other rules say. */
export function deny(reason?: string): Case<access.Decision, "deny">;

/** A form field's value: text, number, yes or no, or a list of choices; `{ tag, val }` for a date or one choice. */
export type FieldValue = string | number | boolean | string[] | { tag: "date" | "choice"; val: string };

/** The value of a form field; `undefined` if it is not filled in. Dates and choices are texts. */
export function field(ticket: Ticket, name: string): string | number | boolean | string[] | undefined;

/** The row of a reference table; `undefined` if it has none. The manifest has to name the table under `tables`. */
export function lookup(table: string, key: string): Record<string, string> | undefined;

/** Writes to the decision's record. */
export const log: Record<"debug" | "info" | "warn" | "error", (message: unknown) => void>;

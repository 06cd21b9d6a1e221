import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, problems } from "#ruledesk/testing";
import { guess } from "./language.ts";
import rule from "./rule.ts";

const region = (team: string, languages: string[], utcOffset: number) =>
  ({ team, languages, opens: "09:00", closes: "17:00", "utc-offset": utcOffset });
const settings = { regions: [region("berlin", ["de", "en"], 60), region("austin", ["en", "es"], -360)] };
const english = { body: "Hello, I cannot log in since this morning, please help me with the VPN" };

test("common words tell the language", () => {
  assert.equal(guess("Mein Drucker ist kaputt und ich kann nicht drucken", 3)?.language, "de");
  assert.equal(guess("Je ne peux pas ouvrir le fichier depuis hier", 3)?.language, "fr");
  assert.equal(guess("VPN", 3), undefined);
});

test("the team that is at work now gets it", () => {
  const team = (at: string) => {
    const { decision } = ask(rule, "routing", { now: { at: Date.parse(at) }, ticket: english }, settings);
    return decision.tag === "assign" ? decision.val.team : undefined;
  };
  assert.equal(team("2026-01-05T09:00:00Z"), "berlin");
  assert.equal(team("2026-01-05T20:00:00Z"), "austin");
  // Friday night in Austin: Berlin is first on Monday.
  assert.equal(team("2026-01-10T04:00:00Z"), "berlin");
});

test("every wrong setting is named", () => {
  const found = problems(rule, { regions: [{ team: "x", languages: ["xx"], opens: "9", closes: "8" }], other: 1 });
  assert.equal(found.length, 2);
});

// Between the contract and the rule, inside of the component: settings, errors, time and chance.

import { host } from "./host.js";
import { Random } from "./random.js";
import { Settings } from "./settings.js";

/** Gives the rule the desk's functions, and `console` and `Math.random` a meaning in the desk. */
export function connect(log, tables) {
  host.log = (level, message) => log.write(level, message);
  host.lookup = (table, key) => tables.lookup(table, key);
  Math.random = new Random("before any decision").next;
  const write = (level) => (...values) => host.log(level, values.map(printed).join(" "));
  globalThis.console = {
    debug: write("debug"),
    trace: write("debug"),
    log: write("info"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
  };
}

/** The contract's `settings` for a rule. */
export function settingsOf(rule, state) {
  return {
    configure(json) {
      const given = new Settings(JSON.parse(json));
      let problems;
      try {
        state.settings = rule.settings?.(given);
        problems = given.problems();
      } catch (error) {
        problems = [described(error)];
      }
      if (problems.length > 0) throw Object.assign(new Error("bad settings"), { payload: problems });
    },
  };
}

/** The engine hands over a `u32` from 2^31 on as a negative number; here it becomes what the desk has sent. */
function unsigned(input) {
  const mend = (record, ...names) => {
    for (const name of names) if (typeof record?.[name] === "number") record[name] >>>= 0;
  };
  mend(input.request, "durationHours");
  mend(input.item, "maxDurationHours", "seatsLeft");
  mend(input.history, "requested", "approved", "denied", "revoked");
  mend(input.peers, "departmentSize", "departmentHolders");
  return input;
}

/** And takes a `u32` from 2^31 on only as the negative number of the same bits. Any other number stays, to be refused. */
function signed(answer) {
  const { tag, val } = answer.decision;
  const mend = (record, ...names) => {
    for (const name of names) if (record?.[name] >= 2 ** 31 && record[name] < 2 ** 32) record[name] |= 0;
  };
  if (tag === "approve") mend(val, "durationHours");
  if (tag === "require-approval") {
    mend(val?.scope, "durationHours");
    for (const step of val?.steps ?? []) mend(step, "needed", "dueInHours");
  }
  return answer;
}

/** The contract's interface of one stage. */
export function stageOf(rule, stage, state) {
  const decide = rule?.[stage];
  if (typeof decide !== "function") {
    throw new Error(`rule.toml names the stage \`${stage}\`, and the rule has no function \`${stage}\``);
  }
  return {
    decide(input) {
      Math.random = new Random(input).next;
      try {
        const answer = decide.call(rule, stage === "access" ? unsigned(input) : input, state.settings);
        if (typeof answer?.then === "function") throw new Error(`\`${stage}\` is async: a decision has nothing to wait for`);
        if (typeof answer?.decision?.tag !== "string") throw new Error(`\`${stage}\` has returned no answer, such as pass()`);
        return stage === "access" ? signed(answer) : answer;
      } catch (error) {
        throw Object.assign(new Error("failed"), { payload: described(error) });
      }
    },
  };
}

/** An error's message and where it was thrown. */
function described(error) {
  if (!(error instanceof Error)) return `thrown: ${printed(error)}`;
  const stack = (error.stack ?? "").trimEnd();
  const cause = error.cause === undefined ? "" : `\ncaused by ${described(error.cause)}`;
  return `${error.name}: ${error.message}${stack ? `\n${stack}` : ""}${cause}`;
}

function printed(value) {
  if (typeof value === "string") return value;
  if (value instanceof Error) return described(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

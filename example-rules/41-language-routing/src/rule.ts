// Sends a ticket to a team that speaks its language, to one that is at work now where there are several.

import { assign, defineRule, pass, type Settings, type Timestamp } from "#ruledesk";
import { LANGUAGES, guess } from "./language.ts";

interface Region {
  team: string;
  languages: string[];
  /** Minutes since midnight by the region's own clock. */
  opens: number;
  closes: number;
  /** Minutes east of UTC. */
  utcOffset: number;
}

const MINUTES_OF_DAY = 1440;

export default defineRule({
  settings: (given: Settings) => ({
    leastWords: given.whole("least-words", { min: 1, max: 20, byDefault: 3 }),
    regions: regions(given),
  }),

  routing({ ticket, now }, { regions, leastWords }) {
    const found = guess(`${ticket.subject} ${ticket.body}`, leastWords);
    if (!found) return pass("its language is not clear");
    const speakers = regions.filter((region) => region.languages.includes(found.language));
    if (speakers.length === 0) return pass(`no team speaks ${found.language}`);

    const waits = speakers.map((region) => ({ region, minutes: minutesUntilOpen(region, now.at) }));
    const { region, minutes } = waits.reduce((best, next) => (next.minutes < best.minutes ? next : best));
    const why = minutes === 0 ? "is at work" : `is the first at work again, in ${duration(minutes)}`;
    return assign(region.team)
      .because(`it is written in ${found.language}, and ${region.team} ${why}`)
      .attribute("language", found.language)
      .attribute("words", found.words);
  },
});

/** 0 while the region is open. Weekends have no work. */
function minutesUntilOpen(region: Region, at: Timestamp): number {
  const local = Math.floor(at / 60_000) + region.utcOffset;
  for (let day = 0; day < 8; day++) {
    // 1970-01-01 was a Thursday, the fourth day of its week.
    const midnight = (Math.floor(local / MINUTES_OF_DAY) + day) * MINUTES_OF_DAY;
    const weekday = (midnight / MINUTES_OF_DAY + 3) % 7;
    if (weekday < 5 && local < midnight + region.closes) return Math.max(0, midnight + region.opens - local);
  }
  return Infinity;
}

function duration(minutes: number): string {
  return minutes < 120 ? `${minutes} minutes` : `${Math.round(minutes / 60)} hours`;
}

function regions(given: Settings): Region[] {
  const list = given.table.regions;
  if (!Array.isArray(list) || list.length === 0) {
    given.problem("`regions` is missing: add a [[settings.regions]] for each team.");
    return [];
  }
  return list.map((entry: Record<string, unknown>, at) => {
    const name = typeof entry.team === "string" ? entry.team : `number ${at + 1}`;
    const wrong = (sentence: string) => given.problem(`Region ${name}: ${sentence}`);
    if (typeof entry.team !== "string") wrong("`team` has to be a team's id.");
    const languages = Array.isArray(entry.languages) ? entry.languages.map(String) : [];
    const unknown = languages.filter((language) => !LANGUAGES.includes(language));
    if (languages.length === 0 || unknown.length > 0) {
      wrong(`\`languages\` has to be a list with some of ${LANGUAGES.join(", ")}.`);
    }
    const [opens, closes] = [clock(entry.opens), clock(entry.closes)];
    if (opens === undefined || closes === undefined || opens >= closes) {
      wrong("`opens` and `closes` have to be times such as \"08:30\", the earlier first.");
    }
    const utcOffset = Number(entry["utc-offset"] ?? 0);
    if (!Number.isInteger(utcOffset) || Math.abs(utcOffset) > 840) {
      wrong("`utc-offset` has to be whole minutes east of UTC, from -840 to 840.");
    }
    return { team: name, languages, opens: opens ?? 0, closes: closes ?? 0, utcOffset };
  });
}

/** Minutes since midnight of a time such as `08:30`. */
function clock(text: unknown): number | undefined {
  const parts = /^([01]?\d|2[0-4]):([0-5]\d)$/.exec(String(text));
  return parts ? Number(parts[1]) * 60 + Number(parts[2]) : undefined;
}

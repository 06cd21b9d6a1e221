// Texts, days and clocks, as the specification's section "Words used below" has them.

export const lower = (text) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
export const squeeze = (text) => text.replace(/[ \t\n\r]+/g, " ").replace(/^ | $/g, "");
export const united = (...lists) => [...new Set(lists.flatMap((list) => Array.from(list)))];

/** In the order of scalar values; `sort()` alone has that of UTF-16. */
export function sorted(texts) {
  const compare = (a, b) => {
    const [left, right] = [Array.from(a), Array.from(b)];
    for (let at = 0; at < left.length && at < right.length; at += 1) {
      const difference = left[at].codePointAt(0) - right[at].codePointAt(0);
      if (difference !== 0) return difference;
    }
    return left.length - right.length;
  };
  return Array.from(texts).sort(compare);
}

const two = (number) => String(number).padStart(2, "0");
const hours = (minutes) => `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;

export function clock(now) {
  const [year, month, day] = civil(now.localDay);
  const sign = now.utcOffset < 0 ? "-" : "+";
  const state = now.inBusinessHours ? "open" : "closed";
  return `${year}-${two(month)}-${two(day)} ${now.weekday} ${hours(now.minuteOfDay)} ${sign}${hours(Math.abs(now.utcOffset))} ${state}`;
}

export function drift(now) {
  const minutes = (BigInt(now.at) / 60000n + BigInt(now.utcOffset)) % 1440n;
  return String(BigInt(now.minuteOfDay) - ((minutes + 1440n) % 1440n));
}

/** Year, month and day of a day counted from 1970-01-01: the years are counted from March, in cycles of 400. */
function civil(day) {
  const cycle = Math.floor((day + 719468) / 146097);
  const ofCycle = day + 719468 - cycle * 146097;
  const whole = (number) => Math.floor(number);
  const year = whole((ofCycle - whole(ofCycle / 1460) + whole(ofCycle / 36524) - whole(ofCycle / 146096)) / 365);
  const ofYear = ofCycle - (365 * year + whole(year / 4) - whole(year / 100));
  const march = whole((5 * ofYear + 2) / 153);
  const month = march < 10 ? march + 3 : march - 9;
  return [year + cycle * 400 + (month <= 2 ? 1 : 0), month, ofYear - whole((153 * march + 2) / 5) + 1];
}

export function isDay(text) {
  const parts = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(text);
  if (!parts || text.length !== 10) return false;
  const [year, month, day] = parts.slice(1).map(Number);
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return day >= 1 && day <= days;
}

/* The page's own words, in the reader's language, and numbers and times written into them. */

export const words = JSON.parse(document.getElementById("scanner-words").textContent);

/* a day reads "21 Nov 2026" in English too */
export const lang = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
const plurals = new Intl.PluralRules(lang);
const FORMS = { one: 0, two: 1, few: 1, other: 1, many: 2, zero: 2 };   // the template writes them out for 1, 2 and 5

/* forms: the sentence for 1, 2 and 5, with those figures in it */
export const counted = (forms, number) => forms[FORMS[plurals.select(number)]].replace(/\d+/, number);

/* "{age}" and the like become what they stand for */
export const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

/* a length of time in its largest fitting unit, "42 minutes" */
export function length(ms) {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  const [unit, amount] = minutes < 90 ? ["minute", minutes] : minutes < 48 * 60 ? ["hour", Math.round(minutes / 60)] : ["day", Math.round(minutes / 1440)];
  return new Intl.NumberFormat(lang, { style: "unit", unit, unitDisplay: "long" }).format(amount);
}

/* "yesterday", "today" or "tomorrow" */
export const nearDay = (days) => new Intl.RelativeTimeFormat(lang, { numeric: "auto" }).format(days, "day");

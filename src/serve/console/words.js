// What the page says, in English and Chinese, and how numbers and times are written.

import { CHINESE } from "./chinese.js";
import { ENGLISH } from "./english.js";

const LANGUAGE = "goodwill-language";
const WORDS = { en: ENGLISH, zh: CHINESE };
let spoken = first();

export const language = () => spoken;
export const otherLanguage = () => (spoken === "zh" ? "en" : "zh");

/** Speaks another language from now on, in this browser. */
export function speak(chosen) {
  spoken = chosen;
  localStorage.setItem(LANGUAGE, chosen);
  const address = new URL(location.href);
  address.searchParams.set("lang", chosen);
  history.replaceState(null, "", address);
}

/** A text with its gaps filled; a key without a text is said as it is (a target of a company's own). */
export function say(key, gaps = {}) {
  const text = WORDS[spoken][key] ?? WORDS.en[key] ?? key.slice(key.lastIndexOf(".") + 1);
  return text.replace(/\{(\w+)\}/g, (_, name) => gaps[name] ?? "");
}

/** What a name of the service's is called here, such as a stage; otherwise as it calls itself. */
export const named = (kind, name, otherwise = name) =>
  WORDS[spoken][`${kind}.${name}`] ?? WORDS.en[`${kind}.${name}`] ?? otherwise;

const locale = () => (spoken === "zh" ? "zh-CN" : "en-GB");

/** A number with the digits that matter: 1,234; 56; 3.4; 0.25. */
export function number(value) {
  if (value === null || value === undefined) return say("unknown");
  const size = Math.abs(value);
  const digits = size >= 9.95 ? 0 : size >= 0.995 ? 1 : 2;
  const text = new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);
  return text === "-0" ? "0" : text;
}

/** A measured figure: two digits after the point where it is small, else one. */
export const digits = (value) =>
  new Intl.NumberFormat(locale(), { maximumFractionDigits: Math.abs(value) < 9.95 ? 2 : 1 }).format(value);

/** A number with one digit after the point. */
export const tenths = (value) =>
  new Intl.NumberFormat(locale(), { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(value);

/** A number short enough for the side of a chart: 12K, 3.4M. */
export function brief(value) {
  if (Math.abs(value) < 10000) return number(value);
  return new Intl.NumberFormat(locale(), { notation: "compact", maximumSignificantDigits: 3 }).format(value);
}

/** A number with its sign. */
export const signed = (value) => (value > 0 ? `+${number(value)}` : number(value));

/** A share of 1 in percent; what is rare is not called 0 %. */
export function percent(share) {
  if (share === null || share === undefined) return say("unknown");
  if (share > 0 && share < 0.005) return spoken === "zh" ? "<1%" : "< 1 %";
  return `${Math.round(100 * share)}${spoken === "zh" ? "%" : " %"}`;
}

/** A share of 1 in percent with the digits that tell two of them apart. */
export const rate = (share) => `${digits(100 * share)}${spoken === "zh" ? "%" : " %"}`;

/** The month, quarter or year that begins on a day. */
export function period(start, length) {
  const [first, last] = [new Date(start), new Date(start)];
  last.setUTCMonth(first.getUTCMonth() + { month: 0, quarter: 2, year: 11 }[length]);
  const style = { year: "numeric", month: "short", timeZone: "UTC" };
  return new Intl.DateTimeFormat(locale(), style).formatRange(first, last);
}

/** A day. */
export const day = (moment) =>
  new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeZone: "UTC" }).format(new Date(moment));

/** How long something takes or took, in its largest unit. */
export function duration(seconds) {
  const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
  const [unit, size] = units.find(([, length]) => seconds >= length) ?? ["minute", 60];
  const style = { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 0 };
  return new Intl.NumberFormat(locale(), style).format(Math.floor(seconds / size));
}

function first() {
  const wanted = new URLSearchParams(location.search).get("lang");
  const choices = [wanted, localStorage.getItem(LANGUAGE), navigator.language?.slice(0, 2)];
  return choices.find((choice) => choice in WORDS) ?? "en";
}

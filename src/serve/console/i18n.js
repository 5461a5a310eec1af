// Texts in English and Chinese, and formats of numbers and times.

import { MESSAGES as ENGLISH_MESSAGES } from "./messages_en.js";
import { MESSAGES as CHINESE_MESSAGES } from "./messages_zh.js";
import { ENGLISH_CALLS } from "./texts_calls_en.js";
import { CHINESE_CALLS } from "./texts_calls_zh.js";
import { ENGLISH } from "./texts_en.js";
import { ENGLISH_EVALUATION } from "./texts_evaluation_en.js";
import { CHINESE_EVALUATION } from "./texts_evaluation_zh.js";
import { CHINESE } from "./texts_zh.js";

const LANGUAGE = "goodwill-language";
const TEXTS = {
  en: { ...ENGLISH, ...ENGLISH_CALLS, ...ENGLISH_EVALUATION },
  zh: { ...CHINESE, ...CHINESE_CALLS, ...CHINESE_EVALUATION },
};
const PATTERNS = { en: patterns(ENGLISH_MESSAGES), zh: patterns(CHINESE_MESSAGES) };
/** A gap, {count}, or words that depend on its number, {count:customer|customers}. */
const GAP = /\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g;
/** A plural after a 1, in messages that are written for any number. */
const ONE = /(?<![\d.,])1 (answer|complaint|customer|day|group|hour|period|row|time|value)s\b/g;
const SENTENCE = /[A-Za-z'’]+(?:,? [A-Za-z'’]+){3,}/;
let current = initialLanguage();

export const language = () => current;
export const otherLanguage = () => (current === "zh" ? "en" : "zh");

/** Switches to a language and remembers it in this browser. */
export function setLanguage(chosen) {
  current = chosen;
  localStorage.setItem(LANGUAGE, chosen);
  const address = new URL(location.href);
  address.searchParams.set("lang", chosen);
  history.replaceState(null, "", address);
}

/** The text of a key with its gaps filled; an unknown key, such as a custom target, is shown as it is. */
export function translate(key, gaps = {}) {
  const text = TEXTS[current][key] ?? TEXTS.en[key] ?? key.slice(key.lastIndexOf(".") + 1);
  const filled = (_, name, one, several) =>
    one === undefined ? (gaps[name] ?? "") : String(gaps[name]) === "1" ? one : several;
  return text.replace(GAP, filled);
}

/** The display name of something, such as a stage; the name itself where it has none. */
export const named = (kind, name, otherwise = name) =>
  TEXTS[current][`${kind}.${name}`] ?? TEXTS.en[`${kind}.${name}`] ?? otherwise;

/** The name of an attribute by which customers are grouped. */
export const attribute = (name) => named("attribute", name);

/** The value of an attribute: translated, or as the company calls it. */
export const called = (by, name) => (by === "stars" ? `${name} ★` : named(by === "value" ? "segment" : by, name));

const locale = () => (current === "zh" ? "zh-CN" : "en-GB");

/**
 * A message of the service in the language of the page. Patterns are those of the report; a message without a
 * Chinese translation becomes a note that it exists in English only.
 */
export function message(text) {
  const found = translated(text ?? "");
  if (current === "zh" && SENTENCE.test(found)) return translate("english.only");
  return closeUp(current === "en" ? found.replace(ONE, "1 $1") : found);
}

/** A number with a unit for which there is no text: "3 calls", "1 call". */
export function inUnit(value, unit) {
  const text = number(value);
  return current === "en" && text === "1" ? `1 ${unit.replace(/ies$/, "y").replace(/s$/, "")}` : `${text} ${unit}`;
}

function translated(text) {
  for (const [pattern, translation] of PATTERNS[current]) {
    const found = pattern.exec(text);
    if (found) return translation.replace(/\{(\w+)\}/g, (_, name) => translated(found.groups?.[name] ?? ""));
  }
  return text;
}

function patterns(messages) {
  const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pattern = (text) => `^${escaped(text).replace(/\\\{(\w+)\\\}/g, "(?<$1>.+?)")}$`;
  return messages.map(([text, translation]) => [new RegExp(pattern(text), "s"), translation]);
}

/** A sentence with its percent signs directly after the numbers. */
export const closeUp = (text) => text.replace(/(\d) %/g, "$1%");

/** A number with two or three significant digits: 1,234; 56; 3.4; 0.25. */
export function number(value) {
  if (value === null || value === undefined) return translate("unknown");
  const size = Math.abs(value);
  const digits = size >= 9.95 ? 0 : size >= 0.995 ? 1 : 2;
  const text = new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);
  return text === "-0" ? "0" : text;
}

/** A value with two decimals if it is small, otherwise one. */
export const digits = (value) =>
  new Intl.NumberFormat(locale(), { maximumFractionDigits: Math.abs(value) < 9.95 ? 2 : 1 }).format(value);

/** A number with one decimal. */
export const tenths = (value) =>
  new Intl.NumberFormat(locale(), { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(value);

/** A number short enough for an axis: 12K, 3.4M. */
export function brief(value) {
  if (Math.abs(value) < 10000) return number(value);
  return new Intl.NumberFormat(locale(), { notation: "compact", maximumSignificantDigits: 3 }).format(value);
}

/** A number with its sign. */
export const signed = (value) => (value > 0 ? `+${number(value)}` : number(value));

/** A share of 1 in whole percent; a small share is not written as 0. */
export function percent(share) {
  if (share === null || share === undefined) return translate("unknown");
  if (share > 0 && share < 0.005) return current === "zh" ? "<1%" : "< 1%";
  return `${Math.round(100 * share)}%`;
}

/** A share of 1 in percent with decimals. */
export const rate = (share) => `${digits(100 * share)}%`;

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

/** A duration in its largest unit. */
export function duration(seconds) {
  const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
  const [unit, size] = units.find(([, length]) => seconds >= length) ?? ["minute", 60];
  const style = { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 0 };
  return new Intl.NumberFormat(locale(), style).format(Math.floor(seconds / size));
}

function initialLanguage() {
  const wanted = new URLSearchParams(location.search).get("lang");
  const choices = [wanted, localStorage.getItem(LANGUAGE), navigator.language?.slice(0, 2)];
  return choices.find((choice) => choice in TEXTS) ?? "en";
}

// The predictions of a customer, one card for each target with its reasons.

import { rangeBar, shareBar, signedBar, survivalCurve } from "./charts.js";
import { el } from "./dom.js";
import { closeUp, message, number, percent, signed, translate } from "./i18n.js";

export const TARGETS = ["satisfaction", "nps", "churn", "value"];
const CLASSES = ["detractor", "passive", "promoter"];

/** One card for each target, custom targets last; `models` have the horizons. */
export function predictionCards(customer, models) {
  const others = Object.keys(customer.predictions).filter((target) => !TARGETS.includes(target));
  return [...TARGETS, ...others].map((target) => card(target, customer, models));
}

/** Format a score of a target, as in the history or a what-if. */
export function amount(target, score, currency = "") {
  if (score === null) return translate("unknown");
  if (target === "churn") return percent(score);
  if (target === "nps") return signed(score);
  return [number(score), target === "value" ? currency : ""].join(" ").trim();
}

/** Whether a model applies to this customer: it exists, and the customer is in its population. */
export const applies = (output) => Boolean(output) && output.in_population !== false;

/** The currency of the value model; empty where it has none. */
export const currencyOf = (models) => models.find((m) => m.target === "value")?.currency ?? "";

function card(target, customer, models) {
  const output = customer.predictions[target];
  const model = models.find((one) => one.target === target);
  const ahead = model ? translate("ahead", { days: model.horizon_days }) : null;
  return el(
    "section",
    { class: "card", id: `target-${target}`, "aria-label": translate(`target.${target}`) },
    el("h2", {}, translate(`target.${target}`), ahead && el("small", {}, ahead)),
    output ? shown(target, output, currencyOf(models)) : el("p", { class: "note" }, translate("not.served")),
    applies(output) && output.abstain ? el("p", { class: "warning" }, translate("abstain")) : null,
    applies(output) ? reasons(target, customer.reasons[target] ?? []) : null,
  );
}

function shown(target, output, currency) {
  const ways = { satisfaction, nps, churn, value: (o) => value(o, currency) };
  return (ways[target] ?? plain)(output);
}

const headline = (figure, unit = null) =>
  el("p", { class: "figure" }, el("strong", {}, figure), unit && el("span", {}, unit));

function satisfaction({ score, low, high, dissatisfied }) {
  const range = rangeText(low, high, number);
  const label = `${number(score)} ${translate("of.hundred")}; ${range}`;
  return [
    headline(number(score), translate("of.hundred")),
    rangeBar({ value: score, low, high, least: 0, most: 100, label, write: number }),
    el("p", {}, range),
    el("p", { class: "note" }, translate("dissatisfied", { share: percent(dissatisfied) })),
  ];
}

function nps(output) {
  const shares = CLASSES.map((kind) => ({ kind, share: output[kind], name: translate(`nps.${kind}`) }));
  const points = signed(100 * (output.promoter - output.detractor));
  const legend = shares.map(({ kind, share, name }) =>
    el("li", {}, el("i", { class: `swatch ${kind}` }), `${name} `, el("b", {}, percent(share))),
  );
  return [
    headline(translate(`nps.${output.class}`)),
    shareBar(shares, shares.map(({ name, share }) => `${name} ${percent(share)}`).join(", ")),
    el("ul", { class: "legend" }, legend),
    el("p", { class: "note" }, translate("nps.points", { points })),
  ];
}

function churn({ probability, in_population, months_left, survival }) {
  if (!in_population) return el("p", { class: "warning" }, translate("outside"));
  const [three, six, twelve] = [3, 6, 12].map((month) => percent(survival?.[month]));
  return [
    headline(percent(probability)),
    rangeBar({ value: probability, low: null, high: null, least: 0, most: 1, label: percent(probability), write: percent }),
    survival ? el("h3", {}, translate("survival.title")) : null,
    survival ? survivalCurve(survival, translate("survival.text", { three, six, twelve }), percent) : null,
    months_left ? el("p", { class: "note" }, translate("months.left", { months: number(months_left) })) : null,
  ];
}

function value({ expected, typical, low, high, segment }, currency) {
  const write = (money) => amount("value", money, currency);
  const range = rangeText(low, high, write);
  const ends = [0, expected, low ?? 0, high ?? 0];
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  return [
    headline(number(expected), currency),
    rangeBar({ value: expected, low, high, least, most, label: `${write(expected)}; ${range}`, write }),
    el("p", {}, range),
    typeof typical === "number" ? el("p", { class: "note" }, translate("typical", { amount: write(typical) })) : null,
    segment ? el("p", { class: "note" }, `${translate("segment")}${translate("colon")}${translate(`segment.${segment}`)}`) : null,
  ];
}

/** A custom target: its outputs by name. */
function plain(output) {
  return Object.entries(output)
    .filter(([name]) => name !== "abstain")
    .map(([name, one]) => el("p", {}, `${name}: ${typeof one === "number" ? number(one) : one}`));
}

const rangeText = (low, high, write) =>
  low === null || high === null || low === undefined
    ? translate("range.none")
    : translate("range", { low: write(low), high: write(high) });

function reasons(target, listed) {
  const title = el("h3", {}, translate("reasons"));
  if (!listed.length) return [title, el("p", { class: "note" }, translate("reasons.none"))];
  const reach = Math.max(...listed.map((reason) => Math.abs(reason.effect ?? 0)));
  const rows = listed.map((reason) => {
    const effect = reason.effect ?? 0;
    const good = target === "churn" ? effect < 0 : effect > 0;
    return el("li", {}, el("p", {}, reason.text ? closeUp(reason.text) : message(reason.meaning)), signedBar(effect, reach, good));
  });
  return [title, el("ul", { class: "reasons" }, rows)];
}

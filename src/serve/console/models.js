// The served models: metrics, reliability and model card.

import { reliabilityPlot } from "./charts.js";
import { el } from "./dom.js";
import { folded } from "./markdown.js";
import { TARGETS } from "./predictions.js";
import { day, language, message, number, percent, translate } from "./i18n.js";

/** All models, and the targets without a model with the reason. */
export function modelList({ models, missing }) {
  const rank = (model) => (TARGETS.indexOf(model.target) + TARGETS.length + 1) % (TARGETS.length + 1);
  const cards = models.toSorted((a, b) => rank(a) - rank(b)).map((model) =>
    el("section", { class: "card" },
      el("h2", {}, translate(`target.${model.target}`)),
      facts(model),
      el("p", {}, el("a", { href: `#models/${encodeURIComponent(model.target)}` }, translate("open.card")))),
  );
  const absent = Object.entries(missing).map(([target, why]) => el("li", {}, `${translate(`target.${target}`)}${translate("colon")}${message(why)}`));
  return [
    el("h1", { tabindex: -1 }, translate("models")),
    models.length ? el("div", { class: "cards" }, cards) : el("p", {}, translate("models.none")),
    absent.length ? el("h2", {}, translate("not.served")) : null,
    absent.length ? el("ul", {}, absent) : null,
  ];
}

/** One model: facts, metrics next to the baseline rule, reliability and model card. */
export function modelPage(model) {
  return [
    el("p", {}, el("a", { href: "#models" }, `← ${translate("back")}`)),
    el("h1", { tabindex: -1 }, translate(`target.${model.target}`)),
    el("div", { class: "cards" },
      el("section", { class: "card" }, facts(model), measures(model), covered(model)),
      el("section", { class: "card", id: "reliability" }, el("h2", {}, translate("reliability")), reliability(model.calibration ?? []))),
    el("section", { class: "card wide", id: "card" }, el("h2", {}, translate("card")),
      card(model.card)),
  ];
}

/** The model card, which is written in English. */
function card(text) {
  if (!text) return el("p", { class: "note" }, translate("card.none"));
  if (language() === "zh") return el("p", { class: "note" }, translate("card.english"));
  return el("div", { class: "prose", lang: "en" }, folded(text));
}

function facts(model) {
  const rows = [
    [translate("grade"), model.grade],
    [translate("version"), model.version],
    [translate("trained"), day(model.trained_at)],
    [translate("horizon"), translate("days", { count: model.horizon_days })],
    [translate("features"), number(model.features)],
  ];
  return el("dl", {}, rows.map(([name, content]) => el("div", {}, el("dt", {}, name), el("dd", {}, content))));
}

const covered = ({ coverage }) =>
  typeof coverage === "number" ? el("p", { class: "note" }, translate("coverage", { share: percent(coverage) })) : null;

/** The metrics of the model and of the baseline rule with their intervals, the primary metric first. */
function measures({ metrics, measures: evaluated, primary }) {
  const { model, rule } = evaluated?.model ? evaluated : ofOldModel(metrics);
  const names = Object.keys(model).sort((a, b) => (b === primary) - (a === primary));
  const head = [translate("measure"), translate("model"), ...(rule ? [translate("baseline")] : [])];
  const rows = names.map((name) =>
    el("tr", { class: name === primary ? "primary" : null },
      el("th", { scope: "row" }, name.replaceAll("_", " ")),
      el("td", {}, fine(model[name])),
      rule ? el("td", {}, fine(rule[name])) : null));
  return [
    el("h3", {}, translate("metrics")),
    el("div", { class: "scroll", tabindex: 0 },
      el("table", {}, el("thead", {}, el("tr", {}, head.map((cell) => el("th", { scope: "col" }, cell)))), el("tbody", {}, rows))),
  ];
}

/** The same out of the flat metrics of a model that was trained before measures were kept. */
function ofOldModel(metrics) {
  const own = Object.keys(metrics).filter((name) => `${name}_low` in metrics);
  const one = (name) => ({ value: metrics[name] ?? null, low: metrics[`${name}_low`] ?? null, high: metrics[`${name}_high`] ?? null });
  const all = (names, prefix) => Object.fromEntries(names.map((name) => [name, one(prefix + name)]));
  return own.length ? { model: all(own, ""), rule: all(own, "rule_") } : { model: metrics };
}

/** A metric, with its 95% interval where it has one. */
function fine(figure) {
  if (figure === null || figure === undefined) return "–";
  if (typeof figure === "number") return exact(figure);
  const { value, low, high } = figure;
  return low === null || high === null ? exact(value) : `${exact(value)} (${exact(low)} – ${exact(high)})`;
}

const exact = (value) => (value === null ? "–" : value.toFixed(Math.abs(value) >= 100 ? 0 : 3));

/** One plot for each predicted class. */
function reliability(bins) {
  if (!bins.length) return el("p", { class: "note" }, translate("reliability.none"));
  const cases = [...new Set(bins.map((bin) => bin.case ?? ""))];
  return cases.map((name) => {
    const own = bins.filter((bin) => (bin.case ?? "") === name);
    const count = own.reduce((sum, bin) => sum + (bin.rows), 0);
    const label = translate("reliability.text", { count: number(count), bins: own.length });
    const write = own.every((bin) => Math.max(bin.predicted, bin.observed) <= 1) ? percent : number;
    return [
      cases.length > 1 ? el("h3", {}, name) : null,
      reliabilityPlot({ bins: own, label, predicted: translate("predicted"), observed: translate("observed"), write }),
      el("p", { class: "note" }, label),
    ];
  });
}

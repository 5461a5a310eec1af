// The models being served: how good each is, whether its predictions come true, and its card.

import { reliabilityPlot } from "./charts.js";
import { el } from "./dom.js";
import { folded } from "./markdown.js";
import { TARGETS } from "./predictions.js";
import { day, number, percent, say } from "./words.js";

/** All models, and the targets that cannot be scored with the reason. */
export function modelList({ models, missing }) {
  const rank = (model) => (TARGETS.indexOf(model.target) + TARGETS.length + 1) % (TARGETS.length + 1);
  const cards = models.toSorted((a, b) => rank(a) - rank(b)).map((model) =>
    el("section", { class: "card" },
      el("h2", {}, say(`target.${model.target}`)),
      facts(model),
      el("p", {}, el("a", { href: `#models/${encodeURIComponent(model.target)}` }, say("open.card")))),
  );
  const absent = Object.entries(missing).map(([target, why]) => el("li", {}, `${say(`target.${target}`)}: ${why}`));
  return [
    el("h1", { tabindex: -1 }, say("models")),
    models.length ? el("div", { class: "cards" }, cards) : el("p", {}, say("models.none")),
    absent.length ? el("h2", {}, say("not.served")) : null,
    absent.length ? el("ul", {}, absent) : null,
  ];
}

/** One model: facts, measures beside the rule it must beat, reliability, card. */
export function modelPage(model) {
  return [
    el("p", {}, el("a", { href: "#models" }, `← ${say("back")}`)),
    el("h1", { tabindex: -1 }, say(`target.${model.target}`)),
    el("div", { class: "cards" },
      el("section", { class: "card" }, facts(model), measures(model), covered(model)),
      el("section", { class: "card", id: "reliability" }, el("h2", {}, say("reliability")), reliability(model.calibration ?? []))),
    el("section", { class: "card wide", id: "card" }, el("h2", {}, say("card")),
      model.card ? el("div", { class: "prose", lang: "en" }, folded(model.card)) : el("p", { class: "note" }, say("card.none"))),
  ];
}

function facts(model) {
  const rows = [
    [say("grade"), model.grade],
    [say("model"), model.version],
    [say("trained"), day(model.trained_at)],
    [say("horizon"), say("days", { count: model.horizon_days })],
    [say("features"), number(model.features)],
  ];
  return el("dl", {}, rows.map(([name, content]) => el("div", {}, el("dt", {}, name), el("dd", {}, content))));
}

const covered = ({ coverage }) =>
  typeof coverage === "number" ? el("p", { class: "note" }, say("coverage", { share: percent(coverage) })) : null;

/** The measures of the model beside the rule's, with their intervals; the one that decides is first. */
function measures({ metrics, measures: judged, primary }) {
  const { model, rule } = judged?.model ? judged : ofOldModel(metrics);
  const names = Object.keys(model).sort((a, b) => (b === primary) - (a === primary));
  const head = [say("measure"), say("model"), ...(rule ? [say("baseline")] : [])];
  const rows = names.map((name) =>
    el("tr", { class: name === primary ? "primary" : null },
      el("th", { scope: "row" }, name.replaceAll("_", " ")),
      el("td", {}, fine(model[name])),
      rule ? el("td", {}, fine(rule[name])) : null));
  return [
    el("h3", {}, say("metrics")),
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

/** A measure, with its 95 % interval where it has one. */
function fine(figure) {
  if (figure === null || figure === undefined) return "–";
  if (typeof figure === "number") return exact(figure);
  const { value, low, high } = figure;
  return low === null || high === null ? exact(value) : `${exact(value)} (${exact(low)} – ${exact(high)})`;
}

const exact = (value) => (value === null ? "–" : value.toFixed(Math.abs(value) >= 100 ? 0 : 3));

/** A plot for each case that was predicted: one for a probability, one a class. */
function reliability(bins) {
  if (!bins.length) return el("p", { class: "note" }, say("reliability.none"));
  const cases = [...new Set(bins.map((bin) => bin.case ?? ""))];
  return cases.map((name) => {
    const own = bins.filter((bin) => (bin.case ?? "") === name);
    const count = own.reduce((sum, bin) => sum + (bin.rows), 0);
    const label = say("reliability.text", { count: number(count), bins: own.length });
    const write = own.every((bin) => Math.max(bin.predicted, bin.observed) <= 1) ? percent : number;
    return [
      cases.length > 1 ? el("h3", {}, name) : null,
      reliabilityPlot({ bins: own, label, predicted: say("predicted"), observed: say("observed"), write }),
      el("p", { class: "note" }, label),
    ];
  });
}

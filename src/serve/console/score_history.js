// A customer's earlier scores: one chart for each target, and a table.

import { timeLine } from "./charts.js";
import { el } from "./dom.js";
import { amount, TARGETS } from "./predictions.js";
import { brief, day, translate } from "./i18n.js";

/** The section; `history` starts with the oldest scores. */
export function scoreHistory(history, currency) {
  const body = history.length
    ? [
        el("div", { class: "charts" }, TARGETS.map((target) => chart(target, history, currency))),
        history.length > 1 ? table(history, currency) : null,
      ]
    : el("p", { class: "note" }, translate("history.none"));
  return el("section", { class: "card wide", id: "history" }, el("h2", {}, translate("history")), body);
}

function chart(target, history, currency) {
  const name = translate(`target.${target}`);
  const known = history.filter((past) => past[target] !== null && past[target] !== undefined);
  const write = (score) => amount(target, score, currency);
  if (!known.length) return null;
  const [first, last] = [known[0], known.at(-1)];
  if (known.length === 1) {
    const gaps = { value: write(first[target]), day: day(first.as_of) };
    return el("div", {}, el("h3", {}, name), el("p", { class: "note" }, translate("history.one", gaps)));
  }
  const changed = known.flatMap((past, i) =>
    i && past.versions?.[target] !== known[i - 1].versions?.[target] ? [i] : [],
  );
  const label = translate("history.text", {
    name, first: write(first[target]), last: write(last[target]), start: day(first.as_of), end: day(last.as_of),
  });
  const drawn = timeLine({
    values: known.map((past) => past[target]), moments: known.map((past) => past.as_of),
    changed, label, write: target === "value" ? brief : write, writeDay: day,
  });
  const legend = changed.length ? el("p", { class: "note" }, translate("history.changed")) : null;
  return el("div", {}, el("h3", {}, name), drawn, legend);
}

function table(history, currency) {
  const head = el("tr", {}, [translate("day"), ...TARGETS.map((t) => translate(`target.${t}`))].map((cell) => el("th", { scope: "col" }, cell)));
  const rows = history.map((past) =>
    el("tr", {}, el("th", { scope: "row" }, day(past.as_of)),
      TARGETS.map((target) => el("td", {}, amount(target, past[target] ?? null, currency)))),
  );
  const whole = el("table", {}, el("thead", {}, head), el("tbody", {}, rows));
  return el("details", {}, el("summary", {}, translate("history.table")), el("div", { class: "scroll", tabindex: 0 }, whole));
}

// A customer's earlier scores: one chart for each target, and a table.

import { timeLine } from "./charts.js";
import { el } from "./dom.js";
import { amount, TARGETS } from "./predictions.js";
import { brief, day, number, translate } from "./i18n.js";

/** One line on all scores, and charts and a table below it; `history` starts with the oldest scores. */
export function scoreHistory(history, currency) {
  const charts = TARGETS.map((target) => chart(target, history, currency)).filter((drawn) => drawn !== null);
  return el("section", { class: "card wide", id: "history" },
    el("h2", {}, translate("history")),
    el("p", {}, line(history, currency)),
    charts.length ? el("details", {}, el("summary", {}, translate("history.charts")),
      el("div", { class: "charts" }, charts), table(history, currency)) : null);
}

/** How each score changed from the first scoring to the last, as one sentence. */
function line(history, currency) {
  if (!history.length) return translate("history.none");
  const [first, last] = [history[0], history.at(-1)];
  if (history.length === 1) return translate("history.one", { day: day(first.as_of) });
  const changes = TARGETS.filter((target) => isKnown(first[target]) && isKnown(last[target])).map((target) =>
    translate("history.change", {
      name: translate(`target.${target}`), first: amount(target, first[target], currency), last: amount(target, last[target], currency),
    }));
  return translate("history.line", {
    count: number(history.length), start: day(first.as_of), end: day(last.as_of), changes: changes.join(translate("semicolon")),
  });
}

const isKnown = (score) => score !== null && score !== undefined;

/** The chart of a target that was scored at least twice. */
function chart(target, history, currency) {
  const name = translate(`target.${target}`);
  const known = history.filter((past) => isKnown(past[target]));
  const write = (score) => amount(target, score, currency);
  if (known.length < 2) return null;
  const [first, last] = [known[0], known.at(-1)];
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
  return el("div", { class: "scroll", tabindex: 0 }, whole);
}

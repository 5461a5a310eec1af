// What was evaluated of all customers: indicators with their targets, alerts, segments, moves.

import { spark } from "./charts.js";
import { el } from "./dom.js";
import { day, digits, named, number, percent, period, rate, say } from "./words.js";

/** The page of the last evaluation, of the answers about indicators and segments. */
export function evaluationPage(measured, cut) {
  return [
    el("h1", { tabindex: -1 }, say("evaluation")),
    el("p", { class: "note" }, `${say("evaluated", { day: day(measured.as_of) })} · ${say("made", { day: day(measured.made_at) })}`),
    ...measured.warnings.map((warning) => el("p", { class: "warning", role: "status" }, warning)),
    section("indicators", indicatorTable(measured), alerts(measured), lacking("not.measured", measured.not_measured)),
    section("segments", segmentTables(cut)),
    cut.tiers ? section("moves", moves(cut.tiers)) : null,
    Object.keys(cut.skipped).length ? section("left.out", lacking("", cut.skipped)) : null,
  ];
}

const section = (name, ...parts) =>
  el("section", { class: "card wide", id: name }, el("h2", {}, say(name)), parts);

const table = (head, rows) =>
  el("div", { class: "scroll", tabindex: 0 },
    el("table", { class: "figures" }, el("thead", {}, el("tr", {}, head.map((cell) => el("th", { scope: "col" }, cell)))), el("tbody", {}, rows)));

/** What an indicator is called in the language of the page, with its dimension. */
const title = ({ name, title: told, indicator, dimension }) =>
  [named("indicator", name ?? indicator, told), dimension ? named("dimension", dimension) : null].filter(Boolean).join(" · ");

/** How a figure of this kind is written. */
const written = (kind) => (kind === "rate" ? rate : digits);

function indicatorTable({ indicators, period: length }) {
  if (!indicators.length) return el("p", {}, say("indicators.none"));
  const head = ["indicator", "figure", "answered", "before", "target", "trend"].map((name) => say(name));
  return table(head, indicators.map((one) => {
    const write = written(one.kind);
    const unit = one.kind === "rate" ? [] : [named("measured.in", one.unit)];
    return el("tr", {},
      el("th", { scope: "row" }, title(one), el("small", {}, [period(one.period, length), ...unit].join(" · "))),
      el("td", {}, el("b", {}, write(one.value)), el("small", {}, between(one, write))),
      el("td", {}, say("answered.of", { answered: number(one.answered), asked: number(one.asked) })),
      el("td", {}, one.before === null ? "–" : write(one.before), el("small", {}, one.before === null ? "" : say(`change.${one.moved}`))),
      el("td", {}, goal(one.goal, write)),
      el("td", {}, trend(one, write, length)));
  }));
}

const between = ({ low, high }, write) => (low === null || high === null ? say("interval.none") : `${write(low)} – ${write(high)}`);

function goal(told, write) {
  if (!told) return "–";
  const wish = `${told.better === "higher" ? "≥" : "≤"} ${write(told.target)}`;
  return [wish, el("small", { class: `verdict ${told.verdict}` }, say(`verdict.${told.verdict}`))];
}

function trend({ over_time, ...one }, write, length) {
  if (over_time.length < 2) return "–";
  const [first, last] = [over_time[0], over_time.at(-1)];
  const label = say("trend.text", {
    name: title(one), first: write(first.value), last: write(last.value), start: period(first.period, length), end: period(last.period, length),
  });
  return spark(over_time.map((point) => point.value), label);
}

function alerts({ alerts: told, indicators }) {
  if (!told.length) return el("p", { class: "note" }, say("alerts.none"));
  const lines = told.map((alert) => {
    const of = indicators.find((one) => one.name === alert.indicator && one.dimension === alert.dimension);
    const write = written(of?.kind);
    const gaps = {
      name: title({ ...alert, title: of?.title }), group: `${alert.by} ${alert.group}`,
      value: write(alert.value), expected: write(alert.expected),
    };
    return el("li", {}, say(`alert.${alert.kind}`, gaps));
  });
  return [el("h3", {}, say("alerts")), el("ul", {}, lines)];
}

/** What is missing and why; the reasons are the service's own words. */
function lacking(heading, reasons) {
  const lines = Object.entries(reasons).map(([name, why]) => el("li", {}, `${named("indicator", name)}: ${why}`));
  if (!lines.length) return null;
  return [heading ? el("h3", {}, say(heading)) : null, el("ul", { class: "note" }, lines)];
}

function segmentTables({ segments, currency, stability }) {
  if (!segments.length) return el("p", {}, say("segments.none"));
  const kinds = [...new Set(segments.map((one) => one.by))];
  return kinds.map((by) => [
    el("h3", {}, say(`by.${by}`)),
    segmentTable(by, segments.filter((one) => one.by === by), currency),
    by === "group" && stability !== null ? el("p", { class: "note" }, say("stability", { share: percent(stability) })) : null,
  ]);
}

function segmentTable(by, listed, currency) {
  const head = ["segment.name", "customers", "expected", "share.value", "target.satisfaction", "target.churn"].map((name) => say(name));
  return table(head, listed.map((one) =>
    el("tr", {},
      el("th", { scope: "row" }, called(by, one.name), one.rule ? el("small", {}, one.rule) : null),
      el("td", {}, number(one.customers), el("small", {}, percent(one.share))),
      el("td", {}, one.expected_value === null ? "–" : `${number(one.expected_value)} ${currency}`),
      el("td", {}, one.share_of_value === null ? "–" : percent(one.share_of_value)),
      el("td", {}, one.satisfaction === null ? "–" : digits(one.satisfaction)),
      el("td", {}, one.churn_probability === null ? "–" : percent(one.churn_probability)))));
}

/** A segment's name: a word of ours in the language of the page, else as the company calls it. */
const called = (by, name) => (by === "stars" ? `${name} ★` : named(by === "value" ? "segment" : by, name));

/** Who was in which tier before (rows) and is after (columns). */
function moves({ since, until, before, after, customers, moved, causes, rebuilt }) {
  const rows = before.map((from, i) =>
    el("tr", {}, el("th", { scope: "row" }, from), customers[i].map((count, j) =>
      el("td", { class: from === after[j] ? "stayed" : null }, count ? number(count) : "·"))));
  const why = causes.map(({ cause, up, down, other }) =>
    el("li", {}, say("cause.counts", { cause: named("cause", cause), up: number(up), down: number(down), other: number(other) })));
  return [
    el("p", {}, say("moves.text", { start: day(since), end: day(until) })),
    moved === null ? null : el("p", {}, say("moves.share", { share: percent(moved) })),
    rebuilt ? el("p", { class: "note" }, say("moves.rebuilt")) : null,
    table([say("moves.from"), ...after], rows),
    why.length ? [el("h3", {}, say("moves.why")), el("ul", {}, why)] : null,
  ];
}

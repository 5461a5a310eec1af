// The last evaluation: indicators with targets, alerts, segments and migration between tiers.

import { listAddress } from "./addresses.js";
import { spark } from "./charts.js";
import { customerGroups } from "./customer_groups.js";
import { el } from "./dom.js";
import { errorView } from "./errors.js";
import { figureTable as table } from "./figure_table.js";
import { attribute, called, day, digits, message, named, number, percent, period, rate, translate } from "./i18n.js";

/** The segmentations that are not folded. */
const MAIN = ["tier", "stage"];

/** The page of the last evaluation, from the answers about indicators, segments and the call list. */
export function evaluationPage(measured, cut, list) {
  return [
    el("h1", { tabindex: -1 }, translate("evaluation")),
    el("p", { class: "note" }, `${translate("evaluated", { day: day(measured.as_of) })} · ${translate("made", { day: day(measured.made_at) })}`),
    ...measured.warnings.map((warning) => el("p", { class: "warning", role: "status" }, message(warning))),
    section("indicators", indicatorTable(measured), alerts(measured, list), lacking("not.measured", measured.not_measured)),
    groupSection(list),
    section("segments", segmentTables(cut, list)),
    cut.tiers ? section("moves", moves(cut.tiers)) : null,
    Object.keys(cut.skipped).length ? section("left.out", lacking("", cut.skipped)) : null,
  ];
}

/** Regions and owners with the way to their customers; without a call list, the reason. */
function groupSection(list) {
  if (list.error) return section("groups", errorView(list.error));
  const tables = customerGroups(list);
  return tables ? section("groups", tables) : null;
}

const section = (name, ...parts) =>
  el("section", { class: "card wide", id: name }, el("h2", {}, translate(name)), parts);

/** The name of an indicator, with its dimension. */
const title = ({ name, title: fallback, indicator, dimension }) =>
  [named("indicator", name ?? indicator, fallback), dimension ? named("dimension", dimension) : null].filter(Boolean).join(" · ");

/** The number format of an indicator. */
const written = (kind) => (kind === "rate" ? rate : digits);

function indicatorTable({ indicators, period: length }) {
  if (!indicators.length) return el("p", {}, translate("indicators.none"));
  const head = ["indicator", "figure", "answered", "compared", "target", "trend"].map((name) => translate(name));
  return table(head, indicators.map((one) => {
    const write = written(one.kind);
    const unit = one.kind === "rate" ? [] : [named("measured.in", one.unit)];
    return el("tr", {},
      el("th", { scope: "row" }, title(one), el("small", {}, [period(one.period, length), ...unit].join(" · ")), emptyPeriod(one, length)),
      el("td", {}, el("b", {}, write(one.value)), el("small", {}, between(one, write)), corrected(one.everybody, write)),
      el("td", {}, translate("answered.of", { answered: number(one.answered), asked: number(one.asked) })),
      el("td", {}, comparison(one, write, length), el("small", {}, verdict(one.verdict, write, length))),
      el("td", {}, goal(one, write)),
      el("td", {}, trend(one, write, length)));
  }));
}

/** The last period, where it has too few cases and the value is from an earlier one. */
function emptyPeriod({ empty_period: empty, period: shown }, length) {
  if (!empty) return null;
  const count = number(empty.answered);
  const cases = translate(empty.answered ? `count.of.${empty.cases}` : `cases.${empty.cases}`, { count });
  const gaps = { cases, period: period(empty.period, length) };
  gaps.last = empty.last ? period(empty.last, "month") : period(shown, length);
  return el("small", {}, translate(empty.answered ? "period.thin" : "period.empty", gaps));
}

const between = ({ low, high }, write) => (low === null || high === null ? translate("interval.none") : `${write(low)} – ${write(high)}`);

/** The figure corrected for non-response, which the target is judged by. */
function corrected(figure, write) {
  if (!figure) return null;
  return el("small", {}, translate("figure.corrected", { value: write(figure.value), interval: between(figure, write) }));
}

/** The value of the same period a year earlier, or else of the period before, with its period. */
function comparison({ over_time, period: shown }, write, length) {
  const day = `${Number(shown.slice(0, 4)) - 1}${shown.slice(4)}`;
  const found = over_time.find((point) => point.period === day) ?? over_time.findLast((point) => point.period < shown);
  return found ? [write(found.value), el("small", {}, period(found.period, length))] : "–";
}

function goal({ goal: target, everybody }, write) {
  if (!target) return "–";
  const wanted = `${target.better === "higher" ? "≥" : "≤"} ${write(target.target)}`;
  const verdict = translate(`verdict.${target.verdict}`);
  const shown = everybody ? translate("verdict.corrected", { verdict }) : verdict;
  return [wanted, el("small", { class: `verdict ${target.verdict}` }, shown)];
}

function trend({ over_time, ...one }, write, length) {
  if (over_time.length < 2) return "–";
  const [first, last] = [over_time[0], over_time.at(-1)];
  const label = translate("trend.text", {
    name: title(one), first: write(first.value), last: write(last.value), start: period(first.period, length), end: period(last.period, length),
  });
  return spark(over_time.map((point) => point.value), label);
}

/** What the control chart says, in the words that the table and the alerts share. */
function verdict({ kind, expected, since, level, levels }, write, length) {
  const now = level ?? levels?.at(-1)?.value;
  return translate(`change.${kind}`, {
    expected: write(expected), level: write(now), since: since ? period(since, length) : "",
  });
}

function alerts({ alerts: found, indicators, period: length }, list) {
  const isWatched = indicators.some(({ verdict: of }) => of.kind !== "unwatched");
  if (!found.length) return el("p", { class: "note" }, translate(isWatched ? "alerts.none" : "alerts.unwatched"));
  const lines = found.map((alert) => {
    const of = indicators.find((one) => one.name === alert.indicator && one.dimension === alert.dimension);
    const write = written(of?.kind);
    const gaps = {
      name: title({ ...alert, title: of?.title }), group: groupName(alert),
      value: write(alert.value), verdict: verdict(alert, write, length),
    };
    return el("li", {}, translate("alert", gaps), customersLink(alert, list));
  });
  return [el("h3", {}, translate("alerts")), el("ul", {}, lines)];
}

/** The group that an alert is about: "Region north". The whole company is a group of its own. */
const groupName = ({ by, group }) => (by === "all" ? translate("whole.company") : `${attribute(by)} ${called(by, group)}`);

/** The way from an alert to the customers of its group. */
function customersLink({ by, group }, { attributes, groups }) {
  const name = Object.keys(attributes ?? {}).find((one) => attributes[one] === by) ?? by;
  if (!groups?.[name]?.some((one) => one.name === group)) return null;
  return [" ", el("a", { href: listAddress("calls", { [name]: group }) }, translate("alert.customers"))];
}

/** What is not available, with the reasons of the service. */
function lacking(heading, reasons) {
  const lines = Object.entries(reasons).map(([name, why]) => el("li", {}, `${named("indicator", name)}${translate("colon")}${message(why)}`));
  if (!lines.length) return null;
  return [heading ? el("h3", {}, translate(heading)) : null, el("ul", { class: "note" }, lines)];
}

function segmentTables({ segments, currency, stability }, list) {
  if (!segments.length) return el("p", {}, translate("segments.none"));
  const kinds = [...new Set(segments.map((one) => one.by))];
  const shown = (by) => [
    segmentTable(by, segments.filter((one) => one.by === by), currency, list),
    by === "group" && stability !== null ? el("p", { class: "note" }, translate("stability", { share: percent(stability) })) : null,
  ];
  const [main, others] = [kinds.filter((by) => MAIN.includes(by)), kinds.filter((by) => !MAIN.includes(by))];
  return [
    main.map((by) => [el("h3", {}, translate(`by.${by}`)), shown(by)]),
    others.map((by) => el("details", {}, el("summary", {}, translate(`by.${by}`)), shown(by))),
  ];
}

function segmentTable(by, listed, currency, list) {
  const head = ["segment.name", "customers", "expected", "share.value", "target.satisfaction", "target.churn"].map((name) => translate(name));
  return table(head, listed.map((one) =>
    el("tr", {},
      el("th", { scope: "row" }, segmentName(by, one.name, list), one.rule ? el("small", {}, rule(one.rule)) : null),
      el("td", {}, number(one.customers), el("small", {}, percent(one.share))),
      el("td", {}, one.expected_value === null ? "–" : `${number(one.expected_value)} ${currency}`,
        typeof one.expected_low === "number" ? el("small", {}, translate("interval.90", { low: number(one.expected_low), high: number(one.expected_high) })) : null),
      el("td", {}, one.share_of_value === null ? "–" : percent(one.share_of_value)),
      el("td", {}, one.satisfaction === null ? "–" : digits(one.satisfaction)),
      el("td", {}, one.churn_probability === null ? "–" : percent(one.churn_probability)))));
}

/** A cluster rule with translated names of its metrics. */
const rule = (text) =>
  text
    .replace(/ and (?=\S+ [≤>])/g, translate("and"))
    .replace(/[a-z_]{2,}(?= [≤>])/g, (name) => named("cause", name, named("dimension", name)));

/** The name of a segment, as a link where the call list has customers of it. */
function segmentName(by, name, { groups }) {
  const isListed = groups?.[by]?.some((group) => group.name === name);
  return isListed ? el("a", { href: listAddress("calls", { [by]: name }) }, called(by, name)) : called(by, name);
}

/** Tiers before (rows) and after (columns). */
function moves({ since, until, before, after, customers, moved, causes, rebuilt }) {
  const rows = before.map((from, i) =>
    el("tr", {}, el("th", { scope: "row" }, from), customers[i].map((count, j) =>
      el("td", { class: from === after[j] ? "stayed" : null }, count ? number(count) : "·"))));
  const why = causes.map(({ cause, up, down, other }) =>
    el("li", {}, translate("cause.counts", { cause: named("cause", cause), up: number(up), down: number(down), other: number(other) })));
  return [
    el("p", {}, translate("moves.text", { start: day(since), end: day(until) })),
    moved === null ? null : el("p", {}, translate("moves.share", { share: percent(moved) })),
    rebuilt ? el("p", { class: "note" }, translate("moves.rebuilt")) : null,
    table([translate("moves.from"), ...after], rows),
    why.length ? [el("h3", {}, translate("moves.why")), el("ul", {}, why)] : null,
  ];
}

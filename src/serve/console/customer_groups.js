// Regions and owners: how many customers, what is at risk, and the way to these customers.

import { listAddress } from "./addresses.js";
import { el } from "./dom.js";
import { figureTable } from "./figure_table.js";
import { attribute, called, number, percent, translate } from "./i18n.js";

/** Groups shown before the others are folded. */
const SHOWN = 10;

/** A table for region and owner each, the most revenue at risk first; null where the company has neither. */
export function customerGroups(list) {
  const present = ["region", "owner"].filter((name) => list.groups[name]);
  if (!present.length) return null;
  return present.map((name) => [el("h3", {}, translate(`groups.${name}`)), groupTables(name, list)]);
}

function groupTables(name, list) {
  const isMoney = list.groups[name].every((group) => group.amount !== null);
  const sorted = list.groups[name].toSorted((a, b) => (isMoney ? b.amount - a.amount : b.customers - a.customers));
  const rest = sorted.slice(SHOWN);
  return [
    groupTable(name, sorted.slice(0, SHOWN), list, isMoney),
    rest.length
      ? el("details", {}, el("summary", {}, translate("groups.more", { count: number(rest.length) })), groupTable(name, rest, list, isMoney))
      : null,
  ];
}

function groupTable(name, groups, { currency, horizons, by }, isMoney) {
  const kind = by === "value_only" ? "expected" : "money";
  const heads = [attribute(name), translate("customers"),
    isMoney ? translate(`at.risk.${kind}`, { days: horizons.value, currency }) : null, translate("groups.churn", { days: horizons.churn })];
  const cell = (content) => el("td", {}, content);
  const rows = groups.map((group) =>
    el("tr", {},
      el("th", { scope: "row" }, el("a", { href: listAddress("calls", { [name]: group.name }) }, called(name, group.name))),
      cell(number(group.customers)), isMoney ? cell(number(group.amount)) : null,
      cell(group.churn === null ? "–" : percent(group.churn))));
  return figureTable(heads.filter((head) => head !== null), rows);
}

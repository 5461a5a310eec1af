// The rows of the call list and of the movers; on a phone, each row is a card.

import { customerAddress } from "./addresses.js";
import { el } from "./dom.js";
import { attribute, called, closeUp, number, percent, translate } from "./i18n.js";
import { nextStep } from "./next_step.js";

/** The call list: what it is sorted by comes last. */
export function callTable(rows, list) {
  return table([...identity(list), reason, step, atRisk(list)], rows, "calls");
}

/** Customers with their scores before and now; `by` is churn or value. */
export function moverTable(by, rows, list) {
  return table([...identity(list), by === "churn" ? churnChange(list) : segmentChange(list), step, atRisk(list)], rows, "movers");
}

/** Columns: a heading and the content of a row, null where it is not known. */
const reason = {
  head: () => translate("calls.reason"),
  cell: (row) => (row.reason ? closeUp(row.reason) : translate("calls.reason.none")),
  class: "why",
};
const step = { head: () => translate("next.step"), cell: (row) => nextStep(row.next_step), class: "step" };

/** The columns of the attributes that the company has. */
function identity({ groups }) {
  const shown = ["owner", "region", "tier", "stage"].filter((name) => groups[name]);
  return shown.map((name) => ({ head: () => attribute(name), cell: (row) => row[name] && called(name, row[name]) }));
}

/** What the list is sorted by, and the predictions behind it. */
function atRisk({ by, currency, horizons }) {
  const isMoney = by.startsWith("value");
  const days = horizons.value ?? horizons.churn ?? horizons.satisfaction;
  const kind = by === "value_only" ? "expected" : isMoney ? "money" : "probability";
  return {
    head: () => translate(`at.risk.${kind}`, { days, currency }),
    cell: (row) => row.amount !== null && [
      el("strong", {}, isMoney ? number(row.amount) : percent(row.amount)), el("small", {}, madeOf(row, isMoney)),
    ],
    class: "amount",
  };
}

/** The predictions behind an amount: 8,400 × 31% churn. */
function madeOf({ value, churn, dissatisfied }, isMoney) {
  const [name, share] = (dissatisfied ?? -1) > (churn ?? -1) ? ["dissatisfied", dissatisfied] : ["churn", churn];
  if (share === null) return null;
  const risk = translate(`risk.${name}`, { share: percent(share) });
  return isMoney ? `${number(Math.max(0, value))} × ${risk}` : risk;
}

const churnChange = ({ horizons }) => ({
  head: () => translate("churn.change", { days: horizons.churn }),
  cell: ({ churn, churn_before }) => change(percent(churn_before), percent(churn), churn < churn_before),
  class: "change-of",
});

const segmentChange = ({ currency }) => ({
  head: () => translate("segment.change"),
  cell: ({ segment, segment_before, value, value_before }) => [
    change(translate(`segment.${segment_before}`), translate(`segment.${segment}`), value > value_before),
    el("small", {}, `${number(value_before)} → ${number(value)} ${currency}`),
  ],
  class: "change-of",
});

const change = (before, now, isBetter) =>
  el("span", { class: isBetter ? "better" : "worse" }, `${before} → `, el("strong", {}, now));

/** Roles are stated, because a row that is shown as a card is no row to a browser. */
function table(columns, rows, kind) {
  const heads = [translate("customer"), ...columns.map((column) => column.head())];
  return el("table", { class: `list ${kind}`, role: "table" },
    el("thead", { role: "rowgroup" },
      el("tr", { role: "row" }, heads.map((head, i) => el("th", { scope: "col", role: "columnheader", class: i ? columns[i - 1].class : null }, head)))),
    el("tbody", { role: "rowgroup" }, rows.map((row) =>
      el("tr", { role: "row" },
        el("th", { scope: "row", role: "rowheader" }, el("a", { href: customerAddress(row.customer_id) }, row.customer_id)),
        columns.map((column, i) => {
          const content = column.cell(row);
          return el("td", { role: "cell", class: column.class, "data-label": heads[i + 1] }, content || "–");
        })))));
}

// Tables of figures, whose rows become cards on a narrow page.

import { el } from "./dom.js";

/** The table: each cell carries the heading of its column, which a card shows beside it. */
export function figureTable(head, rows) {
  for (const row of rows) [...row.children].forEach((cell, column) => cell.setAttribute("data-label", head[column]));
  const heads = head.map((cell) => el("th", { scope: "col" }, cell));
  return el("div", { class: "scroll", tabindex: 0 },
    el("table", { class: "figures" }, el("thead", {}, el("tr", {}, heads)), el("tbody", {}, rows)));
}

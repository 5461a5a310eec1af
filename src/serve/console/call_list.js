// The home page: the customers to call, and those whose scores moved most.

import { customerAddress, FILTERS, listAddress } from "./addresses.js";
import { ask, isStale } from "./api.js";
import { callTable, moverTable } from "./call_tables.js";
import { el, show } from "./dom.js";
import { errorView } from "./errors.js";
import { attribute, called, day, language, message, number, translate } from "./i18n.js";

const ORDERS = { churn: "churn_change", value: "value_change" };
const [PAGE, MOST] = [25, 100];
let opened = null;
let extended = { address: "", rows: PAGE }; // the list that was made longer last

/** Requests a part of the list. */
function requested(order, filters, after = null, limit = PAGE) {
  const query = new URLSearchParams({ order, limit, language: language() });
  for (const name of FILTERS) if (filters[name]) query.set(name, filters[name]);
  if (after !== null) query.set("after", after);
  return ask("view", `v1/calls?${query}`);
}

/** Requests the start of the list, as long as it was when it was left. */
async function start(order, filters) {
  const rows = extended.address === location.hash ? extended.rows : PAGE;
  const list = await requested(order, filters, null, Math.min(rows, MOST));
  while (list.more && list.calls.length < rows) {
    const next = await requested(order, filters, list.calls.at(-1).customer_id, MOST);
    list.calls.push(...next.calls);
    list.more = next.more;
  }
  return list;
}

/** The call list with these filters. */
export async function callPage(filters) {
  const list = await start("risk", filters);
  const intro = el("p", {}, translate(`calls.by.${list.by}`, horizon(list)));
  return page("calls", list, filters, intro, callTable, "risk");
}

/** The customers whose probability of churn or value segment moved most. */
export async function moverPage(filters) {
  const by = filters.by in ORDERS ? filters.by : "churn";
  const list = await start(ORDERS[by], filters);
  const choices = el("nav", { class: "tabs small", "aria-label": translate("movers.by") },
    Object.keys(ORDERS).map((one) => tab("movers", { ...filters, by: one }, `movers.by.${one}`, one === by)));
  if (!list.compared_with) return page("movers", list, filters, [el("p", {}, translate("movers.no.history"))], null);
  const intro = [
    choices,
    el("p", {}, translate("movers.since", { day: day(list.compared_with) })),
    list.new_models.includes(by) ? el("p", { class: "warning" }, translate("movers.new.model")) : null,
  ];
  return page("movers", list, { ...filters, by }, intro, (rows, answer) => moverTable(by, rows, answer), ORDERS[by]);
}

/** The days ahead of the amounts, and of the churn probability. */
const horizon = ({ horizons }) => ({ days: horizons.value ?? horizons.churn ?? horizons.satisfaction ?? "?" });

function page(view, list, filters, intro, table, order) {
  return [
    el("h1", { tabindex: -1, class: "spoken" }, translate(view)), // the current tab shows it
    el("nav", { class: "tabs", "aria-label": translate("calls.views") },
      tab("calls", { ...filters, by: "" }, "calls", view === "calls"), tab("movers", filters, "movers", view === "movers")),
    intro,
    ...list.warnings.map((warning) => el("p", { class: "warning", role: "status" }, message(warning))),
    table ? filterForm(view, list, filters) : null,
    table ? results(list, filters, table, order) : null,
    view === "calls" && list.total ? el("p", { class: "note" }, translate("calls.reasons.note")) : null,
  ];
}

const tab = (view, filters, text, current) =>
  el("a", { href: listAddress(view, filters), "aria-current": current ? "page" : null }, translate(text));

/** One list of choices for each attribute that the company has. */
function filterForm(view, { groups }, filters) {
  const go = (name, value) => {
    location.hash = listAddress(view, { ...filters, [name]: value });
  };
  const present = FILTERS.filter((name) => groups[name]);
  if (!present.length) return null;
  const isFiltered = FILTERS.some((name) => filters[name]);
  return el("form", { class: "filters", "aria-label": translate("filters"), onsubmit: (event) => event.preventDefault() },
    present.map((name) =>
      el("div", {}, el("label", { for: `filter-${name}` }, attribute(name)),
        el("select", { id: `filter-${name}`, onchange: (event) => go(name, event.target.value) },
          el("option", { value: "" }, translate("filter.all")), choices(name, groups[name], filters[name])))),
    isFiltered ? el("a", { href: listAddress(view, { by: filters.by }) }, translate("filter.clear")) : null);
}

/** The values of an attribute by name, with their customers; one that no customer has stays visible. */
function choices(name, groups, chosen) {
  const known = groups.map((group) => ({ ...group, text: called(name, group.name) }));
  if (chosen && !known.some((group) => group.name === chosen)) known.push({ name: chosen, customers: 0, text: chosen });
  known.sort((a, b) => a.text.localeCompare(b.text, language(), { numeric: true }));
  return known.map((group) =>
    el("option", { value: group.name, selected: group.name === chosen }, `${group.text} (${number(group.customers)})`));
}

function results(list, filters, table, order) {
  const spoken = document.getElementById("spoken");
  const count = translate("calls.count", { count: number(list.total) });
  spoken.textContent = count;
  if (!list.total) return el("p", { class: "empty" }, translate(emptyText(filters, order)));
  const body = table(list.calls, list);
  const more = el("div", {});
  const following = (answer) => show(more, answer.more ? moreButton(answer.calls.at(-1).customer_id) : null);
  const moreButton = (last) =>
    el("button", { type: "button", class: "more", onclick: () => append(last) }, translate("calls.more"));
  async function append(last) {
    try {
      const next = await requested(order, filters, last);
      const rows = [...table(next.calls, next).querySelectorAll("tbody tr")];
      body.querySelector("tbody").append(...rows);
      rows[0]?.querySelector("a").focus();
      extended = { address: location.hash, rows: body.querySelectorAll("tbody tr").length };
      following(next);
    } catch (error) {
      if (error.code === "unknown_customer") window.dispatchEvent(new Event("hashchange")); // a new list meanwhile
      else if (!isStale(error)) show(more, errorView(error, () => append(last)));
    }
  }
  following(list);
  return el("section", { id: "list", "aria-label": count }, el("p", { class: "note" }, `${count} · ${translate("as.of", { day: day(list.as_of) })}`), body, more);
}

function emptyText(filters, order) {
  if (FILTERS.some((name) => filters[name])) return order === "risk" ? "calls.none.filtered" : "movers.none.filtered";
  return order === "risk" ? "calls.none" : `movers.none.${order}`;
}

/** Remembers which customer is opened, so that going back returns to its row. */
export function rememberOpened(id) {
  opened = id === null ? null : customerAddress(id);
}

/** The link of the customer that was opened last, if the view shows it. */
export const openedLink = (view) => (opened ? view.querySelector(`a[href="${CSS.escape(opened)}"]`) : null);

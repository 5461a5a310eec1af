// The search box: suggestions while typing, selected by mouse or arrow keys.

import { ask, dropped, isStale } from "./api.js";
import { debounced, el, show } from "./dom.js";
import { errorView } from "./errors.js";
import { translate } from "./i18n.js";

const PAUSE = 120;
const MOST = 20;
const input = document.getElementById("customer");
const list = document.getElementById("found");
const note = document.getElementById("search-note");
let active = -1;
let choose = () => {};

/** Calls `opened` with the id of the selected customer. */
export function prepareSearch(opened) {
  choose = (id) => {
    close();
    input.value = id;
    opened(id);
  };
  const look = debounced(PAUSE, suggest);
  input.addEventListener("input", () => look(input.value.trim()));
  input.addEventListener("keydown", pressed);
  input.addEventListener("blur", () => setTimeout(close, 150)); // after the click that caused it
  document.getElementById("search").addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = list.children[active]?.dataset.id ?? input.value.trim();
    if (chosen) choose(chosen);
  });
}

/** Labels the search box in the language of the page. */
export function labelSearch() {
  document.querySelector("#search label").textContent = translate("search.label");
  input.placeholder = translate("search.placeholder");
  list.setAttribute("aria-label", translate("search.label"));
  show(note);
}

/** Shows the id of the open customer in the search box. */
export function shown(id) {
  input.value = id;
  close();
}

async function suggest(prefix) {
  if (!prefix) {
    close();
    return;
  }
  try {
    const { customers, more } = await ask("search", `v1/customers?prefix=${encodeURIComponent(prefix)}&limit=${MOST}`);
    if (document.activeElement === input) open(customers, more);
  } catch (error) {
    if (isStale(error)) return;
    close();
    show(note, errorView(error));
  }
}

function open(customers, more) {
  active = -1;
  const options = customers.map((id, place) =>
    el("li", { role: "option", id: `option-${place}`, "data-id": id, "aria-selected": "false",
      onmousedown: (event) => event.preventDefault(), onclick: () => choose(id) }, id));
  show(list, ...options);
  list.hidden = !customers.length;
  input.setAttribute("aria-expanded", String(Boolean(customers.length)));
  input.removeAttribute("aria-activedescendant");
  const key = more ? "search.more" : customers.length ? "search.found" : "search.none";
  show(note, translate(key, { count: customers.length }));
}

function close() {
  dropped("search");
  active = -1;
  list.hidden = true;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
  show(note);
}

function pressed(event) {
  const count = list.hidden ? 0 : list.children.length;
  if (event.key === "Escape") close();
  if (!count || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
  event.preventDefault();
  active = event.key === "ArrowDown" ? (active + 1) % count : (active <= 0 ? count : active) - 1;
  [...list.children].forEach((option, place) => option.setAttribute("aria-selected", String(place === active)));
  list.children[active].scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", `option-${active}`);
}

// The page: routing by the address, navigation, and everything around a view.
// The address holds its state behind "#", which browsers never send to a server.

import { customerAddress, readAddress } from "./addresses.js";
import { ask, forgetKey, hasKey, isStale, prepare } from "./api.js";
import { callPage, moverPage, openedLink, rememberOpened } from "./call_list.js";
import { customerPage } from "./customer.js";
import { el, show } from "./dom.js";
import { errorView } from "./errors.js";
import { evaluationPage } from "./evaluation.js";
import { askForKey } from "./key.js";
import { modelList, modelPage } from "./models.js";
import { labelSearch, prepareSearch, shown } from "./search.js";
import { language, otherLanguage, setLanguage, translate } from "./i18n.js";

const SOON = 300;
const LONG = 5000;
const view = document.getElementById("view");
const notice = document.getElementById("notice");
const progress = document.getElementById("progress");
let served = null;
let waiting = 0;
let timers = [];

/** Shows progress for requests that take longer than a moment. */
function working(change) {
  waiting += change;
  if (waiting === 0 || (waiting === 1 && change === 1)) {
    timers.forEach(clearTimeout);
    progress.hidden = true;
  }
  if (waiting === 1 && change === 1) {
    timers = [[SOON, "working"], [LONG, "still.working"]].map(([after, text]) =>
      setTimeout(() => {
        progress.hidden = false;
        show(progress, translate(text));
      }, after));
  }
}

async function models() {
  served = await ask("models", "v1/models");
  document.getElementById("company").textContent = served.company;
  return served;
}

/** One customer with all details; an id that cannot be part of a path is scored by POST. */
async function customer(id) {
  if (!/\/|^\.{1,2}$/.test(id)) return ask("view", `v1/customers/${encodeURIComponent(id)}?language=${language()}`);
  const body = { customer_ids: [id], reasons: true, language: language() };
  const { scores, ...rest } = await ask("view", "v1/scores", body);
  if (!scores.length) throw Object.assign(new Error(), { code: "unknown_customer" });
  return { ...rest, ...scores[0], segment: scores[0].predictions.value?.segment };
}

/** The groups of the call list; an error of it leaves the rest of a view in place. */
const groups = () =>
  ask("groups", "v1/calls?limit=0").catch((error) => {
    if (isStale(error)) throw error;
    return { error };
  });

const VIEWS = {
  calls: async (_, filters) => {
    shown("");
    const [list] = await Promise.all([callPage(filters), models()]);
    return list;
  },
  movers: async (_, filters) => {
    shown("");
    const [list] = await Promise.all([moverPage(filters), models()]);
    return list;
  },
  customer: async (id) => {
    shown(id);
    rememberOpened(id);
    const [found, all] = await Promise.all([customer(id), models()]);
    return customerPage(found, all.models);
  },
  evaluation: async () => {
    shown("");
    const [measured, cut, list] = await Promise.all([
      ask("view", "v1/indicators"), ask("cut", "v1/segments"), groups(), models(),
    ]);
    return evaluationPage(measured, cut, list);
  },
  models: async (target) => {
    shown("");
    if (!target) return modelList(await models());
    const [model] = await Promise.all([ask("view", `v1/models/${encodeURIComponent(target)}`), models()]);
    return modelPage(model);
  },
};

let opened = 0;

/** Shows the view that the address names, unless another one was opened meanwhile. */
async function open() {
  const request = (opened += 1);
  const { name, rest, filters } = readAddress();
  const from = document.activeElement;
  view.setAttribute("aria-busy", "true");
  show(notice);
  mark(name);
  try {
    const parts = await (VIEWS[name] ?? VIEWS.calls)(rest, filters);
    if (request !== opened) return;
    show(view, ...parts);
    if ([from, document.body].includes(document.activeElement)) focusView(name, from.id);
  } catch (error) {
    if (request !== opened || isStale(error)) return;
    show(view);
    show(notice, errorView(error, open));
  } finally {
    if (request === opened) view.removeAttribute("aria-busy");
    document.getElementById("forget").hidden = !hasKey();
  }
}

/** Keeps the focus on a filter, returns it to the customer that was opened, or moves it to the title. */
function focusView(name, focused) {
  const same = focused ? view.querySelector(`#${CSS.escape(focused)}`) : null;
  const row = ["calls", "movers"].includes(name) ? openedLink(view) : null;
  (same ?? row ?? view.querySelector("h1"))?.focus({ preventScroll: !row });
  if (row) rememberOpened(null);
}

function mark(name) {
  const current = ["models", "evaluation"].includes(name) ? name : "calls";
  const link = (target, href) =>
    el("a", { href, "aria-current": target === current ? "page" : null }, translate(`place.${target}`));
  const own = ["calls", "evaluation", "models"].map((target) => link(target, `#${target}`));
  show(document.getElementById("places"), own, link("docs", "docs"));
}

function labelPage() {
  document.documentElement.lang = language() === "zh" ? "zh-CN" : "en";
  const button = document.getElementById("language");
  button.textContent = translate("language.other");
  button.lang = otherLanguage();
  document.getElementById("forget").textContent = translate("key.forget");
  labelSearch();
}

document.getElementById("language").addEventListener("click", () => {
  setLanguage(otherLanguage());
  labelPage();
  open();
});
document.getElementById("forget").addEventListener("click", () => {
  forgetKey();
  open();
});
window.addEventListener("hashchange", open);
prepare({ key: askForKey, progress: working });
prepareSearch((id) => {
  const address = customerAddress(id);
  if (location.hash === address) open();
  else location.hash = address;
});
labelPage();
open();

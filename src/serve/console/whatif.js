// Sliders for the levers of a customer; moving one requests the predicted change.

import { ask, dropped, isStale } from "./api.js";
import { debounced, el, show } from "./dom.js";
import { errorView } from "./errors.js";
import { amount, applies, currencyOf, TARGETS } from "./predictions.js";
import { closeUp, inUnit, language, number, translate, tenths } from "./i18n.js";

const PAUSE = 200;

/** The section of sliders of a customer. */
export function whatIf(customer, models) {
  dropped("whatif");
  const title = el("h2", {}, translate("whatif"));
  const promise = el("p", { class: "note" }, translate("whatif.promise"));
  const targets = TARGETS.filter((target) => applies(customer.predictions[target]));
  const section = (...parts) => el("section", { class: "card wide", id: "whatif" }, title, promise, ...parts);
  if (!customer.levers.length || !targets.length) return section(el("p", {}, translate("whatif.none")));

  const result = el("div", { class: "result", "aria-live": "polite" }, translate("whatif.rest"));
  const board = { customer, target: targets.includes("churn") ? "churn" : targets[0], result, currency: currencyOf(models) };
  const look = debounced(PAUSE, () => showAnswer(board));
  board.sliders = customer.levers.map((lever) => slider(lever, board, look));
  const choices = targets.map((target) => choice(target, board, look));
  const reset = el("button", { type: "button", onclick: () => board.sliders.forEach((s) => s.rest()) }, translate("whatif.reset"));
  board.sliders.forEach((one) => one.notice());
  return section(
    el("fieldset", { class: "choices" }, el("legend", {}, translate("whatif.target")), choices),
    el("div", { class: "sliders" }, board.sliders.map((one) => one.element)),
    reset,
    result,
  );
}

function choice(target, board, look) {
  const chosen = () => {
    board.target = target;
    board.sliders.forEach((one) => one.notice());
    look();
  };
  const input = el("input", { type: "radio", name: "whatif-target", value: target, checked: target === board.target, onchange: chosen });
  return el("label", {}, input, translate(`target.${target}`));
}

function slider(lever, board, look) {
  const id = `lever-${lever.lever.replaceAll(" ", "-")}`;
  const output = el("output", { for: id });
  const input = el("input", {
    id, type: "range", min: lever.least, max: lever.most,
    step: lever.unit === "visits" ? 1 : "any", value: lever.now, // after step, to which it is rounded
  });
  const unnoticed = el("p", { class: "note" }, translate("whatif.unnoticed"));
  const written = () => {
    const text = leverAmount(lever, amountOf());
    output.value = text;
    input.setAttribute("aria-valuetext", text);
  };
  // At the current value, send exactly `now`: the browser may round the slider's value.
  const atCurrent = () => Math.abs(input.valueAsNumber - lever.now) <= 1e-6 * (lever.most - lever.least);
  const amountOf = () => (atCurrent() ? lever.now : input.valueAsNumber);
  input.addEventListener("input", () => {
    written();
    look();
  });
  written();
  const label = el("label", { for: id }, translate(`lever.${lever.lever}`));
  const now = el("span", { class: "note" }, translate("whatif.now", { amount: leverAmount(lever, lever.now) }));
  return {
    element: el("div", { class: "slider" }, label, output, input, now, unnoticed),
    moved: () => (input.disabled || atCurrent() ? null : [lever.lever, amountOf()]),
    notice: () => {
      input.disabled = lever.targets ? !lever.targets.includes(board.target) : false;
      unnoticed.hidden = !input.disabled;
    },
    rest: () => {
      input.value = lever.now;
      written();
      look();
    },
  };
}

/** An amount with its unit; days of a delivery are late or early. */
function leverAmount({ lever, unit }, value) {
  if (lever === "delivery lateness") {
    return translate(value < 0 ? "unit.days early" : "unit.days late", { amount: number(Math.abs(value)) });
  }
  const text = translate(`unit.${unit}`, { amount: number(value) });
  return text.includes(number(value)) ? text : inUnit(value, unit);
}

async function showAnswer({ customer, target, sliders, result, currency }) {
  const moved = sliders.map((one) => one.moved()).filter(Boolean);
  if (!moved.length) {
    dropped("whatif");
    show(result, translate("whatif.rest"));
    return;
  }
  const body = { customer_id: customer.customer_id, target, set: Object.fromEntries(moved), language: language() };
  result.setAttribute("aria-busy", "true");
  try {
    show(result, ...answer(await ask("whatif", "v1/whatif", body), currency));
    result.removeAttribute("aria-busy");
  } catch (error) {
    if (isStale(error)) return;
    result.removeAttribute("aria-busy");
    show(result, errorView(error));
  }
}

/** A score with one more decimal than elsewhere, for small changes; a probability is in percent. */
function inPoints(target, points, currency) {
  if (target === "value") return amount(target, points, currency);
  return `${tenths(points)}${target === "churn" ? "%" : ""}`;
}

function answer({ target, score, score_then, text }, currency) {
  const change = score_then - score;
  const better = target === "churn" ? change < 0 : change > 0;
  const [now, then] = [score, score_then].map((points) => inPoints(target, points, currency));
  const kind = now === then ? "same" : better ? "better" : "worse";
  const figure = translate("whatif.score", { now, then });
  return [
    el("p", { class: `figure ${kind}` }, el("span", {}, `${translate(`target.${target}`)} `), el("strong", {}, figure)),
    el("p", {}, closeUp(text)),
  ];
}

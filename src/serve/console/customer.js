// The page of one customer.

import { el } from "./dom.js";
import { nextStep } from "./next_step.js";
import { scoreHistory } from "./score_history.js";
import { currencyOf, predictionCards } from "./predictions.js";
import { customerStatus } from "./customer_status.js";
import { whatIf } from "./whatif.js";
import { day, duration, message, translate } from "./i18n.js";

/** Id, age of the features, warnings, next step, predictions, customer status, what-if and score history. */
export function customerPage(customer, models) {
  const { customer_id, segment, as_of, feature_age_seconds, warnings } = customer;
  const badge = segment ? el("span", { class: "badge" }, `${translate("segment")}${translate("colon")}${translate(`segment.${segment}`)}`) : null;
  const next = nextStep(customer.next_step);
  return [
    el("h1", { tabindex: -1, class: "who" }, customer_id),
    el("p", { class: "note" }, `${translate("as.of", { day: day(as_of) })} · ${translate("age", { age: duration(feature_age_seconds) })} `, badge),
    ...(warnings ?? []).map((warning) => el("p", { class: "warning", role: "status" }, message(warning))),
    next ? el("p", { class: "next" }, el("strong", {}, `${translate("next.step")}${translate("colon")}`), next) : null,
    el("div", { class: "cards" }, predictionCards(customer, models)),
    customerStatus(customer),
    whatIf({ ...customer, levers: customer.levers ?? [] }, models),
    scoreHistory(customer.history ?? [], currencyOf(models)),
  ];
}

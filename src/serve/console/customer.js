// The page of one customer.

import { listAddress } from "./addresses.js";
import { el } from "./dom.js";
import { nextStep } from "./next_step.js";
import { scoreHistory } from "./score_history.js";
import { currencyOf, predictionCards } from "./predictions.js";
import { customerStatus } from "./customer_status.js";
import { whatIf } from "./whatif.js";
import { attribute, called, day, duration, message, translate } from "./i18n.js";

/** Id, owner and region, age of the features, warnings, next step, predictions, customer status, what-if and score history. */
export function customerPage(customer, models) {
  const { customer_id, segment, as_of, feature_age_seconds, warnings } = customer;
  const badge = segment ? el("span", { class: "badge" }, `${translate("segment")}${translate("colon")}${translate(`segment.${segment}`)}`) : null;
  const next = nextStep(customer.next_step);
  return [
    el("h1", { tabindex: -1, class: "who" }, customer_id),
    ownerAndRegion(customer),
    el("p", { class: "note" }, `${translate("as.of", { day: day(as_of) })} · ${translate("age", { age: duration(feature_age_seconds) })} `, badge),
    ...(warnings ?? []).map((warning) => el("p", { class: "warning", role: "status" }, message(warning))),
    next ? el("p", { class: "next" }, el("strong", {}, `${translate("next.step")}${translate("colon")}`), next) : null,
    el("div", { class: "cards" }, predictionCards(customer, models)),
    customerStatus(customer),
    whatIf({ ...customer, levers: customer.levers ?? [] }, models),
    scoreHistory(customer.history ?? [], currencyOf(models)),
  ];
}

/** Who looks after the customer and where they are, each with the way to the other customers; null without both. */
function ownerAndRegion(customer) {
  const known = ["owner", "region"].filter((name) => customer[name]);
  const links = known.map((name) => [
    `${attribute(name)}${translate("colon")}`,
    el("a", { href: listAddress("calls", { [name]: customer[name] }) }, called(name, customer[name])),
  ]);
  return links.length ? el("p", { class: "note" }, ...links.flatMap((link, index) => (index ? [" · ", ...link] : link))) : null;
}

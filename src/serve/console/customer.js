// The page of one customer.

import { el } from "./dom.js";
import { pastScores } from "./past.js";
import { currencyOf, predictionCards } from "./predictions.js";
import { standing } from "./standing.js";
import { whatIf } from "./whatif.js";
import { day, duration, say } from "./words.js";

/** Who it is, how old the features are, warnings, predictions, standing, what-if and the past. */
export function customerPage(customer, models) {
  const { customer_id, segment, as_of, feature_age_seconds, warnings } = customer;
  const badge = segment ? el("span", { class: "badge" }, `${say("segment")}: ${say(`segment.${segment}`)}`) : null;
  return [
    el("h1", { tabindex: -1, class: "who" }, customer_id),
    el("p", { class: "note" }, `${say("as.of", { day: day(as_of) })} · ${say("age", { age: duration(feature_age_seconds) })} `, badge),
    ...(warnings ?? []).map((warning) => el("p", { class: "warning", role: "status" }, warning)),
    el("div", { class: "cards" }, predictionCards(customer, models)),
    standing(customer),
    whatIf({ ...customer, levers: customer.levers ?? [] }, models),
    pastScores(customer.history ?? [], currencyOf(models)),
  ];
}

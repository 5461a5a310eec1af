// Error messages with the request id that is in the service's log.

import { el } from "./dom.js";
import { message, translate } from "./i18n.js";

const KNOWN = new Set([
  "unreachable", "unknown_customer", "unknown_target", "unknown_indicator", "unknown_path", "not_ready", "stale_features",
  "too_slow", "too_many", "no_key", "forbidden", "lever_stuck", "invalid_request", "unexpected",
]);

/** An error as an element, with a button to retry where that may help. */
export function errorView(error, again = null) {
  const known = KNOWN.has(error.code);
  const gaps = { seconds: error.retryAfter ?? "?", message: message(error.message) };
  const text = translate(`error.${known ? error.code : "unexpected"}`, gaps);
  if (!error.code) console.error(error); // an error in the page's own code
  const details = (error.details ?? []).map((d) => el("li", {}, `${d.where}${translate("colon")}${message(d.problem)}`));
  return el(
    "div",
    { class: "error" },
    el("p", {}, text, known || !error.message ? null : ` ${message(error.message)}`),
    details.length ? el("ul", {}, details) : null,
    error.requestId ? el("p", { class: "note" }, translate("error.request", { id: error.requestId })) : null,
    again && !error.code?.startsWith("unknown_") ? el("button", { type: "button", onclick: again }, translate("error.again")) : null,
  );
}

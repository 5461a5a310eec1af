// What went wrong, in words, with the id under which the service's log names it.

import { el } from "./dom.js";
import { say } from "./words.js";

const KNOWN = new Set([
  "unreachable", "unknown_customer", "unknown_target", "unknown_indicator", "unknown_path", "not_ready", "stale_features",
  "too_slow", "too_many", "no_key", "forbidden", "lever_stuck", "invalid_request", "unexpected",
]);

/** An error as a paragraph; `again` is offered as a button where it may help. */
export function explained(error, again = null) {
  const known = KNOWN.has(error.code);
  const gaps = { seconds: error.retryAfter ?? "?", message: error.message };
  const text = say(`error.${known ? error.code : "unexpected"}`, gaps);
  if (!error.code) console.error(error); // of the page itself
  const details = (error.details ?? []).map((d) => el("li", {}, `${d.where}: ${d.problem}`));
  return el(
    "div",
    { class: "error" },
    el("p", {}, text, known || !error.message ? null : ` ${error.message}`),
    details.length ? el("ul", {}, details) : null,
    error.requestId ? el("p", { class: "note" }, say("error.request", { id: error.requestId })) : null,
    again && !error.code?.startsWith("unknown_") ? el("button", { type: "button", onclick: again }, say("error.again")) : null,
  );
}

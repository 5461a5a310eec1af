// The status of a customer in the last evaluation, and how the tier changed.

import { el } from "./dom.js";
import { day, digits, named, translate } from "./i18n.js";

const STARS = 5;

/** The section; null where the answer has no status (a customer scored by POST). */
export function customerStatus(customer) {
  if (customer.standing_as_of === undefined) return null;
  const rows = facts(customer).filter(([, content]) => content !== null);
  const note = customer.standing_as_of ? translate("evaluated", { day: day(customer.standing_as_of) }) : translate("evaluated.not");
  return el(
    "section",
    { class: "card wide", id: "standing" },
    el("h2", {}, translate("standing")),
    rows.length ? el("dl", { class: "facts" }, rows.map(([name, content]) => el("div", {}, el("dt", {}, name), el("dd", {}, content)))) : null,
    migration(customer.migration),
    rows.length || !customer.standing_as_of ? null : el("p", {}, translate("standing.new")),
    el("p", { class: "note" }, note),
  );
}

function facts({ tier, stars, stage, service_level, value_score, group, quadrant }) {
  return [
    [translate("tier"), tier],
    [translate("stars"), stars === null ? null : drawn(stars)],
    [translate("stage"), stage === null ? null : named("stage", stage)],
    [translate("service.level"), service_level === null ? null : named("level", service_level)],
    [translate("value.score"), value_score === null ? null : interval(value_score)],
    [translate("quadrant"), quadrant === null ? null : named("quadrant", quadrant)],
    [translate("group"), group],
  ];
}

const drawn = (stars) =>
  el("span", { class: "stars", role: "img", "aria-label": translate("stars.of", { stars, most: STARS }) },
    "★".repeat(stars) + "☆".repeat(STARS - stars));

const interval = ({ value, low, high }) =>
  low === null || high === null ? digits(value) : `${digits(value)} (${digits(low)} – ${digits(high)})`;

function migration(moved) {
  if (!moved) return null;
  const { from, to, since, cause } = moved;
  const when = since ? translate("moved.since", { from, to, day: day(since) }) : translate("moved", { from, to });
  const why = cause ? translate("moved.why", { cause: named("cause", cause) }) : "";
  return el("p", { class: "moved" }, `${when}${why}`);
}

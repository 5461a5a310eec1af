// Where a customer stands since the last evaluation, and how he came into his tier, in words.

import { el } from "./dom.js";
import { day, digits, named, say } from "./words.js";

const STARS = 5;

/** The section; nothing where the answer does not tell (a customer shown by the other road). */
export function standing(customer) {
  if (customer.standing_as_of === undefined) return null;
  const rows = facts(customer).filter(([, content]) => content !== null);
  const note = customer.standing_as_of ? say("evaluated", { day: day(customer.standing_as_of) }) : say("evaluated.not");
  return el(
    "section",
    { class: "card wide", id: "standing" },
    el("h2", {}, say("standing")),
    rows.length ? el("dl", { class: "facts" }, rows.map(([name, content]) => el("div", {}, el("dt", {}, name), el("dd", {}, content)))) : null,
    migration(customer.migration),
    rows.length || !customer.standing_as_of ? null : el("p", {}, say("standing.new")),
    el("p", { class: "note" }, note),
  );
}

function facts({ tier, stars, stage, service_level, value_score, group, quadrant }) {
  return [
    [say("tier"), tier],
    [say("stars"), stars === null ? null : drawn(stars)],
    [say("stage"), stage === null ? null : named("stage", stage)],
    [say("service.level"), service_level === null ? null : named("level", service_level)],
    [say("value.score"), value_score === null ? null : interval(value_score)],
    [say("quadrant"), quadrant === null ? null : named("quadrant", quadrant)],
    [say("group"), group],
  ];
}

const drawn = (stars) =>
  el("span", { class: "stars", role: "img", "aria-label": say("stars.of", { stars, most: STARS }) },
    "★".repeat(stars) + "☆".repeat(STARS - stars));

const interval = ({ value, low, high }) =>
  low === null || high === null ? digits(value) : `${digits(value)} (${digits(low)} – ${digits(high)})`;

function migration(moved) {
  if (!moved) return null;
  const { from, to, since, cause } = moved;
  const when = since ? say("moved.since", { from, to, day: day(since) }) : say("moved", { from, to });
  const why = cause ? say("moved.why", { cause: named("cause", cause) }) : "";
  return el("p", { class: "moved" }, `${when}${why}`);
}

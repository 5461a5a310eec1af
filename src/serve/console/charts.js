// Small SVG charts, each with a text alternative. Widths are in units of the view box.

import { svg } from "./dom.js";

const WIDTH = 320;

/** A chart of a height; `label` is its text alternative. */
function drawing(height, label, ...parts) {
  const box = `0 0 ${WIDTH} ${height}`;
  return svg("svg", { viewBox: box, role: "img", "aria-label": label, class: "chart" }, ...parts);
}

/** Maps [low, high] onto [from, to]. */
function scale(low, high, from, to) {
  const spread = high - low || 1;
  return (value) => from + ((value - low) / spread) * (to - from);
}

const text = (x, y, anchor, content) => svg("text", { x, y, "text-anchor": anchor }, content);
const line = (x1, y1, x2, y2, kind) => svg("line", { x1, y1, x2, y2, class: kind });
const rect = (x, y, width, height, kind) =>
  svg("rect", { x, y, width: Math.max(0, width), height, rx: 3, class: kind });

/** A value on its scale with its interval; without an interval where `low` is null. */
export function rangeBar({ value, low, high, least, most, label, write }) {
  const x = scale(least, most, 8, WIDTH - 8);
  const known = low !== null && high !== null;
  return drawing(
    34,
    label,
    rect(4, 8, WIDTH - 8, 8, "rail"),
    known ? rect(x(low), 8, Math.max(2, x(high) - x(low)), 8, "range") : null,
    svg("circle", { cx: x(value), cy: 12, r: 7, class: "mark" }),
    text(4, 31, "start", write(least)),
    text(WIDTH - 4, 31, "end", write(most)),
  );
}

/** Shares that sum to 1, side by side. */
export function shareBar(shares, label) {
  let from = 4;
  const parts = shares.map(({ share, kind }) => {
    const width = share * (WIDTH - 8);
    const part = rect(from, 4, width - 1, 16, kind);
    from += width;
    return part;
  });
  return drawing(24, label, ...parts);
}

/** One signed bar from the middle; `reach` is the effect that fills half the width. */
export function signedBar(effect, reach, good) {
  const middle = WIDTH / 2;
  const length = (Math.abs(effect) / (reach || 1)) * (middle - 4);
  const kind = good ? "good" : "bad";
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} 12`, class: "chart bar", "aria-hidden": "true", preserveAspectRatio: "none" },
    rect(effect < 0 ? middle - length : middle, 1, Math.max(2, length), 10, kind),
    line(middle, 0, middle, 12, "axis"),
  );
}

/** The share that remains after 0, 1, ... months. */
export function survivalCurve(shares, label, write) {
  const x = scale(0, shares.length - 1, 40, WIDTH - 8);
  const y = scale(0, 1, 84, 8);
  const points = shares.map((share, month) => `${x(month)},${y(share)}`);
  const months = shares.map((_, month) => month).filter((month) => month % 3 === 0);
  return drawing(
    102,
    label,
    ...[0, 0.5, 1].flatMap((share) => [
      line(40, y(share), WIDTH - 8, y(share), "grid"),
      text(36, y(share) + 4, "end", write(share)),
    ]),
    svg("polygon", { points: [`${x(0)},${y(0)}`, ...points, `${x(shares.length - 1)},${y(0)}`].join(" "), class: "under" }),
    svg("polyline", { points: points.join(" "), class: "curve" }),
    ...months.map((month) => text(x(month), 99, "middle", month)),
  );
}

/** Values over time; `changed` are the places where another model begins. */
export function timeLine({ values, moments, changed, label, write, writeDay }) {
  const known = values.filter((value) => value !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const room = (high - low || Math.abs(high) || 1) * 0.1;
  const times = moments.map((moment) => Date.parse(moment));
  const x = scale(times[0], times.at(-1), 54, WIDTH - 10);
  const y = scale(low - room, high + room, 66, 6);
  const points = values.flatMap((v, i) => (v === null ? [] : [[x(times[i]), y(v)]]));
  const ticks = low === high ? [low] : [low, high];
  return drawing(
    88,
    label,
    ...ticks.flatMap((v) => [line(50, y(v), WIDTH - 10, y(v), "grid"), text(44, y(v) + 4, "end", write(v))]),
    ...changed.map((i) => line(x(times[i]), 4, x(times[i]), 68, "change")),
    svg("polyline", { points: points.map((p) => p.join(",")).join(" "), class: "curve" }),
    ...points.map(([cx, cy]) => svg("circle", { cx, cy, r: points.length > 15 ? 1.5 : 3, class: "dot" })),
    text(50, 84, "start", writeDay(moments[0])),
    text(WIDTH - 10, 84, "end", writeDay(moments.at(-1))),
  );
}

/** A sparkline for a table cell. */
export function spark(values, label) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = scale(0, values.length - 1, 3, 97);
  const y = low === high ? () => 12 : scale(low, high, 21, 3);
  const points = values.map((value, i) => `${x(i)},${y(value)}`);
  return svg(
    "svg",
    { viewBox: "0 0 100 24", role: "img", "aria-label": label, class: "chart spark" },
    svg("title", {}, label),
    svg("polyline", { points: points.join(" "), class: "curve" }),
    svg("circle", { cx: x(values.length - 1), cy: y(values.at(-1)), r: 2.5, class: "dot" }),
  );
}

/** Predicted and actual share by group of customers, with the interval of the latter. */
export function reliabilityPlot({ bins, label, predicted, observed, write }) {
  const top = Math.max(...bins.map((b) => Math.max(b.predicted, b.high ?? b.observed)), 0.01) * 1.05;
  const x = scale(0, top, 44, WIDTH - 12);
  const y = scale(0, top, 216, 10);
  const ends = [0, top / 2, top];
  return drawing(
    256,
    label,
    ...ends.flatMap((v) => [
      line(44, y(v), WIDTH - 12, y(v), "grid"),
      text(40, y(v) + 4, "end", write(v)),
      text(x(v), 232, v === top ? "end" : "middle", write(v)),
    ]),
    line(x(0), y(0), x(top), y(top), "change"),
    ...bins.map((b) => line(x(b.predicted), y(b.low ?? b.observed), x(b.predicted), y(b.high ?? b.observed), "whisker")),
    ...bins.map((b) => svg("circle", { cx: x(b.predicted), cy: y(b.observed), r: 4, class: "dot" })),
    text((44 + WIDTH) / 2, 250, "middle", predicted),
    svg("text", { x: 12, y: 113, "text-anchor": "middle", transform: "rotate(-90 12 113)" }, observed),
  );
}

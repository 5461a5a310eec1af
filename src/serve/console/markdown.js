// Render the Markdown of a model card: headings, lists, tables, paragraphs, strong and code.

import { el } from "./dom.js";

/** The elements of a text; other markup is shown as text. */
function markdown(text) {
  const blocks = text.replaceAll("\r", "").split(/\n{2,}|\n(?=#)|(?<=^#.*)\n/m);
  return blocks.map((block) => block.trim()).filter(Boolean).map(element);
}

/** The same with each second-level section collapsed, except for the text before the first. */
export function folded(text) {
  const [first, ...sections] = text.split(/^## /m);
  return [
    markdown(first),
    sections.map((section) => {
      const [title, ...body] = section.split("\n");
      return el("details", {}, el("summary", {}, inline(title)), markdown(body.join("\n")));
    }),
  ];
}

function element(block) {
  const lines = block.split("\n");
  const heading = /^(#{1,4}) (.*)$/.exec(block);
  if (heading && lines.length === 1) return el(`h${Math.min(6, heading[1].length + 2)}`, {}, inline(heading[2]));
  if (lines.every((line) => /^[-*] /.test(line))) {
    return el("ul", {}, lines.map((line) => el("li", {}, inline(line.slice(2)))));
  }
  if (lines.length > 1 && lines.every((line) => line.startsWith("|"))) return table(lines);
  return el("p", {}, inline(lines.join(" ")));
}

function table(lines) {
  const [head, , ...rows] = lines.map((line) =>
    line.slice(1).replace(/\|\s*$/, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|")),
  );
  const top = el("thead", {}, el("tr", {}, head.map((cell) => el("th", { scope: "col" }, inline(cell)))));
  const body = el("tbody", {}, rows.map((row) => el("tr", {}, row.map((cell) => el("td", {}, inline(cell))))));
  return el("div", { class: "scroll", tabindex: 0 }, el("table", {}, top, body));
}

function inline(text) {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).map((part) => {
    if (part.startsWith("**") && part.length > 4) return el("strong", {}, part.slice(2, -2));
    if (part.startsWith("`") && part.length > 2) return el("code", {}, part.slice(1, -1));
    return part;
  });
}

// Charts. Bars are table cells; histograms are SVG, with the same numbers in a table.

function table(caption, head, rows, attributes = {}, foot = null) {
  return el("div", { class: "scroll" },
    el("table", { class: attributes.class },
      el("caption", { class: attributes.quiet ? "sr" : null }, caption),
      el("thead", {}, el("tr", {}, head)),
      el("tbody", {}, rows),
      foot && el("tfoot", {}, foot)));
}

const head = (label, numeric = false, more = {}) =>
  el("th", { scope: "col", ...more, class: `${numeric ? "n" : ""} ${more.class ?? ""}` }, label);
const cell = (words, attributes = {}) =>
  el("td", { ...attributes, class: `n ${words === "0" ? "zero" : ""} ${attributes.class ?? ""}` }, words);

// A funnel: how many came in, how many each rule removed, how many are left.
function funnelTable(caption, first, steps, last, total) {
  const width = (n) => `${total ? (100 * n) / total : 0}%`;
  const line = (label, took, left, attributes, track) =>
    el("tr", attributes,
      el("th", { scope: "row" }, label),
      cell(took === null ? "" : took ? `− ${count(took)}` : "0"),
      cell(count(left)),
      cell(share(left, total), { class: "optional" }),
      el("td", { class: "bar" }, el("div", { class: "track", "aria-hidden": "true" }, track)));
  const solid = (n) => el("i", { "--w": width(n) });
  const rows = [line(first, null, total, {}, solid(total))];
  for (const step of steps)
    rows.push(line(step.rule, step.took, step.left, {},
      [el("i", { class: "rest", "--w": width(step.left) }), step.took ? el("i", { class: "took", "--w": width(step.took) }) : null]));
  const left = steps.length ? steps[steps.length - 1].left : total;
  rows.push(line(last, null, left, { class: "left" }, solid(left)));
  return table(caption,
    [head("Rule"), head("Removed", true), head("Left", true), head("Share", true, { class: "optional" }), head(el("span", { class: "sr" }, "Bar"))],
    rows, { class: "bars" });
}

// Shares of a whole in one bar, with the same numbers in words.
function stacked(parts, color, label) {
  const whole = parts.reduce((sum, [, n]) => sum + n, 0);
  const summary = parts.slice(0, 6).map(([key, n]) => `${label(key)} ${share(n, whole)}`).join(", ");
  return el("div", { title: summary },
    el("div", { class: "stack", "aria-hidden": "true" },
      parts.map(([key, n]) => el("i", { "--w": `${(100 * n) / whole}%`, "--c": color(key) }))),
    el("span", { class: "sr" }, summary || "none"));
}

const SVG = "http://www.w3.org/2000/svg";
function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const bin = (score, at, of = score.bins.length) => {
  const step = (score.high - score.low) / of;
  return [score.low + step * at, score.low + step * (at + 1)];
};

function histogram(score) {
  const [wide, tall] = [400, 100];
  const most = Math.max(...score.bins, 1);
  const each = wide / score.bins.length;
  const bars = score.bins.map((n, at) => {
    const height = n ? Math.max((tall * n) / most, 1.5) : 0;
    const [from, to] = bin(score, at);
    return svg("rect", { class: "column", x: each * at + 1, width: each - 2, y: tall - height, height },
      svg("title", {}, `${decimal(from)} to ${decimal(to)}: ${count(n)}`));
  });
  const span = score.high - score.low || 1;
  const median = score.median === null ? [] : [((score.median - score.low) / span) * wide];
  const summary = score.count
    ? `${score.name}: ${plural(score.count, "value")} from ${decimal(score.low)} to ${decimal(score.high)}, median ${decimal(score.median)}`
    : `${score.name}: no values`;
  const meaning = data.meanings[score.name];
  return el("figure", {},
    el("figcaption", {}, score.name.replaceAll("_", " "), el("span", {}, score.count ? `median ${decimal(score.median)}` : "no values")),
    el("p", {}, meaning ?? ""),
    svg("svg", { viewBox: `0 0 ${wide} ${tall + 1}`, preserveAspectRatio: "none", role: "img", "aria-label": summary },
      ...bars,
      svg("line", { class: "axis", x1: 0, x2: wide, y1: tall + 0.5, y2: tall + 0.5 }),
      ...median.map((x) => svg("line", { class: "median", x1: x, x2: x, y1: 0, y2: tall }))),
    el("div", { class: "ticks" }, el("span", {}, decimal(score.low)), score.missing ? el("span", {}, `${count(score.missing)} without a value`) : "", el("span", {}, decimal(score.high))),
    el("details", {}, el("summary", { class: "numbers" }, "Numbers"),
      table(`Number of pairs by ${score.name}`, [head("From"), head("To"), head("Pairs", true), head("Share", true)],
        score.bins.map((n, at) => {
          const [from, to] = bin(score, at);
          return el("tr", {}, el("th", { scope: "row" }, decimal(from)), el("td", {}, decimal(to)), cell(count(n)), cell(share(n, score.count)));
        }), { quiet: true })));
}

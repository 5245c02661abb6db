// Charts: bars are tables with a bar in a cell; histograms are SVG, with their numbers in a table.

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

// What came in, what each rule took, what is left.
function funnelTable(caption, first, steps, last, came) {
  const width = (n) => `${came ? (100 * n) / came : 0}%`;
  const line = (label, took, left, attributes, track) =>
    el("tr", attributes,
      el("th", { scope: "row" }, label),
      cell(took === null ? "" : took ? `− ${count(took)}` : "0"),
      cell(count(left)),
      cell(share(left, came), { class: "optional" }),
      el("td", { class: "bar" }, el("div", { class: "track", "aria-hidden": "true" }, track)));
  const solid = (n) => el("i", { "--w": width(n) });
  const rows = [line(first, null, came, {}, solid(came))];
  for (const step of steps)
    rows.push(line(step.rule, step.took, step.left, {},
      [el("i", { class: "rest", "--w": width(step.left) }), step.took ? el("i", { class: "took", "--w": width(step.took) }) : null]));
  const left = steps.length ? steps[steps.length - 1].left : came;
  rows.push(line(last, null, left, { class: "left" }, solid(left)));
  return table(caption,
    [head("Rule"), head("Took", true), head("Left", true), head("Share", true, { class: "optional" }), head(el("span", { class: "sr" }, "Bar"))],
    rows, { class: "bars" });
}

// Parts of a whole in one bar; the words say the same.
function stacked(parts, colour, label) {
  const whole = parts.reduce((sum, [, n]) => sum + n, 0);
  const said = parts.slice(0, 6).map(([key, n]) => `${label(key)} ${share(n, whole)}`).join(", ");
  return el("div", { title: said },
    el("div", { class: "stack", "aria-hidden": "true" },
      parts.map(([key, n]) => el("i", { "--w": `${(100 * n) / whole}%`, "--c": colour(key) }))),
    el("span", { class: "sr" }, said || "none"));
}

const SVG = "http://www.w3.org/2000/svg";
function svg(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [key, given] of Object.entries(attributes)) made.setAttribute(key, given);
  made.append(...children);
  return made;
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
  const said = score.count
    ? `${score.name}: ${many(score.count, "value")} from ${decimal(score.low)} to ${decimal(score.high)}, half of them above ${decimal(score.median)}`
    : `${score.name}: no values`;
  const meaning = data.meanings[score.name];
  return el("figure", {},
    el("figcaption", {}, score.name.replaceAll("_", " "), el("span", {}, score.count ? `median ${decimal(score.median)}` : "no values")),
    el("p", {}, meaning ?? ""),
    svg("svg", { viewBox: `0 0 ${wide} ${tall + 1}`, preserveAspectRatio: "none", role: "img", "aria-label": said },
      ...bars,
      svg("line", { class: "axis", x1: 0, x2: wide, y1: tall + 0.5, y2: tall + 0.5 }),
      ...median.map((x) => svg("line", { class: "median", x1: x, x2: x, y1: 0, y2: tall }))),
    el("div", { class: "ticks" }, el("span", {}, decimal(score.low)), score.missing ? el("span", {}, `${count(score.missing)} without a value`) : "", el("span", {}, decimal(score.high))),
    el("details", {}, el("summary", { class: "numbers" }, "Numbers"),
      table(`How many pairs have which ${score.name}`, [head("From"), head("To"), head("Pairs", true), head("Share", true)],
        score.bins.map((n, at) => {
          const [from, to] = bin(score, at);
          return el("tr", {}, el("th", { scope: "row" }, decimal(from)), el("td", {}, decimal(to)), cell(count(n)), cell(share(n, score.count)));
        }), { quiet: true })));
}

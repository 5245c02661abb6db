// The view Scores: distributions, and examples at each score.

if (data.pairs?.scores.length && data.pairs.total) views.push(["scores", "Scores", (view) => {
  const { scores, values, lead } = data.pairs;
  const large = scores.filter((score) => score.name === "quality" || score.name === "score");
  const small = scores.filter((score) => !large.includes(score));
  view.append(el("h2", {}, "Scores"),
    el("p", { class: "about-it" }, "Distribution of each score over the whole run. The dashed line is the median."),
    large.length ? el("div", { class: "charts lead" }, large.map((score) => histogram(score))) : "",
    small.length ? el("div", { class: "charts" }, small.map((score) => histogram(score))) : "");

  const examples = el("div", {});
  const by = select(scores.map((score) => [score.name, score.name.replaceAll("_", " ")]), () => draw());
  function draw() {
    const score = scores.find((score) => score.name === by.value);
    const tenths = Array.from({ length: 10 }, (_, n) => 9 - n);
    const tenthOf = (x) => Math.min(Math.max(Math.floor(((x - score.low) / (score.high - score.low || 1)) * 10 + 1e-6), 0), 9);
    const groups = tenths.map(() => []);
    for (const item of pairItems) if (values[score.name][item.at] !== null) groups[tenthOf(values[score.name][item.at])].push(item);
    examples.replaceChildren(...tenths.map((n) => {
      const [low, high] = bin(score, n, 10);
      const all = score.bins[2 * n] + score.bins[2 * n + 1];
      if (!all) return null;
      const group = groups[n];
      const shown = [...new Set([0, group.length >> 1, group.length - 1])].filter((k) => k >= 0).map((k) => group[k]);
      return el("div", { class: "tenth" },
        el("div", {}, el("h3", {}, `${decimal(low)} – ${decimal(high)}`), el("p", { class: "note" }, plural(all, "pair")),
          score.name === lead ? el("button", { type: "button", class: "link", click: () => openPairs({ low, high }) }, "show them") : null),
        el("div", {}, shown.map((item) => pairCard(item, null, false))));
    }).filter(Boolean));
    if (!examples.childElementCount) examples.append(el("p", { class: "none" }, "No pairs have this score."));
  }
  view.append(el("h2", {}, "Examples at each score"), el("div", { class: "bar-of-tools" }, field("By", by)), examples);
  draw();
}]);

// The view About.

views.push(["about", "About", (view) => {
  const { run, pairs, sources, views: shown } = data;
  view.append(el("h2", {}, "About this report"));
  const parts = [];
  if (shown) parts.push(sampled(shown.pages.length, shown.total, "pages") || "All pages with text are shown. ");
  if (pairs) parts.push(sampled(pairs.rows, pairs.total, "pairs") || "All pairs are shown. ");
  view.append(el("p", { class: "about-it" }, parts,
    "Counts, funnels and distributions cover the whole run. ", `Texts are cut after ${count(data.cut)} characters. `, pairs ? `The pairs are from ${pairs.files.join(" and ")}.` : ""));
  const facts = [["version", run.version], ["fingerprint of the settings", run.fingerprint], ["total seconds", run.elapsed === undefined ? undefined : value(run.elapsed)]].filter(([, v]) => v !== undefined);
  if (facts.length)
    view.append(table("The run", [head("Name"), head("Value", true)], facts.map(([k, v]) => el("tr", {}, el("th", { scope: "row" }, k), cell(String(v)))), { quiet: true, class: "narrow" }));
  if (Object.keys(run.seconds).length)
    view.append(el("h2", {}, "Time by step"), table("Seconds by step", [head("Step"), head("Seconds", true)],
      Object.entries(run.seconds).sort((a, b) => b[1] - a[1]).map(([step, s]) => el("tr", {}, el("th", { scope: "row" }, step), cell(s.toFixed(3)))), { quiet: true, class: "narrow" }));
  if (Object.keys(run.config).length)
    view.append(el("h2", {}, "Settings"), el("div", { class: "settings" }, Object.entries(run.config).map(([step, settings]) =>
      el("div", {}, el("h3", {}, step), table(`Settings of ${step}`, [head("Setting"), head("Value", true)],
        Object.entries(settings).map(([key, value]) => el("tr", {}, el("th", { scope: "row" }, key), cell(value === "" || (Array.isArray(value) && !value.length) ? "–" : typeof value === "number" ? count(value) : typeof value === "object" ? JSON.stringify(value) : String(value), { class: "name" }))), { quiet: true })))));
  if (pairs) {
    const names = pairs.scores.map((score) => score.name).filter((key) => data.meanings[key]);
    if (names.length)
      view.append(el("h2", {}, "Meaning of the scores"), el("dl", { class: "glossary" }, names.map((key) => el("div", {}, el("dt", {}, key), el("dd", {}, data.meanings[key])))));
  }
}]);

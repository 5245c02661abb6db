// The views Scores and Pairs: distributions, examples at each score, and pairs side by side.

const pairRows = data.pairs ? Array.from({ length: data.pairs.rows }, (_, at) => at) : [];
const pageOf = new Map((data.views?.pages ?? []).map((page, at) => [page.doc_id, at]));
let filterPairs = null;
function openPairs(wanted) {
  drawView("pairs");
  filterPairs(wanted);
  showView("pairs", true);
}

// Link to the page of one side. `samePage`: the page has just been named.
function origin(side, at, samePage) {
  const { columns, docs } = data.pairs;
  const doc = columns[`${side}_doc`]?.[at];
  if (doc === null || doc === undefined) return null;
  const [id, uri] = docs[doc];
  const segments = columns[`${side}_segments`]?.[at] ?? [];
  const which = segments.length ? `${segments.length === 1 ? "segment" : "segments"} ${segments.map(count).join(", ")}` : "";
  const label = [samePage ? "" : uri ? short(uri) : id, which].filter(Boolean).join(", ") || "its page";
  const page = pageOf.get(id);
  if (page === undefined) return name(label);
  const line = () => data.views.pages[page].rows.find((row) => row[0] === segments[0])?.[1] ?? 1;
  return el("button", { type: "button", class: "link", click: () => openPage(page, line()) }, name(label));
}

function pairCard(at, search, evidence) {
  const { columns, values, lead, scores } = data.pairs;
  const get = (key) => columns[key]?.[at] ?? null;
  const side = (key) => text("p", get(`${key}_lang`), highlight(get(`${key}_text`) ?? "", search));
  const dropped = columns.keep && !get("keep");
  const meters = ["quality", "score"].filter((key) => key in values).map((key) => {
    const x = values[key][at];
    return el("span", {}, key, el("span", { class: "meter", "aria-hidden": "true" }, el("i", { "--w": `${100 * Math.min(Math.max(x ?? 0, 0), 1)}%` })), el("b", {}, decimal(x)));
  });
  const same = get("source_doc") !== null && get("source_doc") === get("target_doc");
  const pages = [origin("source", at, false), origin("target", at, same)];
  const others = scores.filter((score) => score.name !== "quality" && score.name !== "score");
  return el("article", { class: `pair ${dropped ? "dropped" : ""}`, "aria-label": `Pair ${count(get("row") + 1)}` },
    side("source"), side("target"),
    el("div", { class: "foot" }, meters,
      dropped ? el("span", { class: "no" }, `dropped: ${get("why")}`) : null,
      get("method") === "translated" ? el("span", { class: "machine" }, "machine translation") : null,
      [...(get("flags") ?? []), ...(get("pii") ?? [])].map((flag) => el("span", { class: "no" }, flag)),
      get("split") ? el("span", {}, get("split")) : null,
      el("span", { class: "from" }, pages[0] ?? "", pages[0] && pages[1] ? (same ? " and " : " → ") : "", pages[1] ?? "")),
    evidence && others.length
      ? el("dl", { class: "evidence" }, others.map((score) => el("div", { title: data.meanings[score.name] }, el("dt", {}, score.name.replaceAll("_", " ")), el("dd", {}, value(values[score.name][at])))))
      : null);
}

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
    for (const at of pairRows) if (values[score.name][at] !== null) groups[tenthOf(values[score.name][at])].push(at);
    examples.replaceChildren(...tenths.map((n) => {
      const [low, high] = bin(score, n, 10);
      const all = score.bins[2 * n] + score.bins[2 * n + 1];
      if (!all) return null;
      const group = groups[n];
      const shown = [...new Set([0, group.length >> 1, group.length - 1])].filter((k) => k >= 0).map((k) => group[k]);
      return el("div", { class: "tenth" },
        el("div", {}, el("h3", {}, `${decimal(low)} – ${decimal(high)}`), el("p", { class: "note" }, plural(all, "pair")),
          score.name === lead ? el("button", { type: "button", class: "link", click: () => openPairs({ low, high }) }, "show them") : null),
        el("div", {}, shown.map((at) => pairCard(at, null, false))));
    }).filter(Boolean));
    if (!examples.childElementCount) examples.append(el("p", { class: "none" }, "No pairs have this score."));
  }
  view.append(el("h2", {}, "Examples at each score"), el("div", { class: "bar-of-tools" }, field("By", by)), examples);
  draw();
}]);

if (data.pairs?.total) views.push(["pairs", "Pairs", (view) => {
  const { columns, values, scores, lead, rows, total, drops } = data.pairs;
  const update = () => {
    const textQuery = query(search.value);
    const [least, most] = [low, high].map((input) => (input && input.value !== "" ? Number(input.value) : null));
    const matches = pairRows.filter((at) => {
      if (lead && (least !== null || most !== null)) {
        const x = values[lead][at];
        if (x === null || (least !== null && x < least) || (most !== null && x > most)) return false;
      }
      if (result?.value === "kept" && !columns.keep[at]) return false;
      if (result?.value === "dropped" && columns.keep[at]) return false;
      if (result?.value.startsWith("=") && columns.why[at] !== result.value.slice(1)) return false;
      if (facets.some(([control, of]) => control.value !== "" && of(at) !== control.value)) return false;
      return !textQuery || textQuery.matches(`${columns.source_text[at] ?? ""}\n${columns.target_text[at] ?? ""}`);
    });
    if (order && order.value !== "") {
      const [key, turn] = [values[order.value.slice(1)], order.value[0] === "+" ? 1 : -1];
      matches.sort((a, b) => (key[a] === null) - (key[b] === null) || turn * (key[a] - key[b]) || a - b);
    }
    status.textContent = matches.length === rows ? plural(rows, "pair") : `${count(matches.length)} of ${plural(rows, "pair")}`;
    current = textQuery;
    show(matches);
  };
  let current = null;
  const search = el("input", { type: "search", autocomplete: "off", placeholder: "words on either side", input: debounce(update) });
  const number = (id, label) => el("input", { id, type: "number", step: "0.05", "aria-label": label, input: debounce(update) });
  const [low, high] = lead ? [number("least", `lowest ${lead}`), number("most", `highest ${lead}`)] : [null, null];
  const result = columns.keep
    ? select([["", "all"], ["kept", "kept"], ["dropped", "dropped"], ...drops.map((drop) => [`=${drop.reason}`, `dropped: ${drop.reason}`])], update)
    : null;
  const facet = (label, of) => {
    const options = [...new Set(pairRows.map(of))].sort();
    const control = select([["", "all"], ...options.map((v) => [v, v])], update);
    return options.length > 1 ? [control, of, label] : null;
  };
  const facets = [
    facet("Direction", (at) => `${columns.source_lang[at] ?? "?"} → ${columns.target_lang[at] ?? "?"}`),
    columns.method ? facet("Method", (at) => columns.method[at] ?? "–") : null,
    columns.split ? facet("Split", (at) => columns.split[at] ?? "none") : null,
    columns.flags ? facet("Flags", (at) => (columns.flags[at] ?? []).join(", ") || "none") : null,
    columns.pii ? facet("Personal data", (at) => (columns.pii[at] ?? []).join(", ") || "none") : null,
  ].filter(Boolean);
  const order = scores.length
    ? select([["", "as in the file"], ...scores.flatMap((s) => [[`+${s.name}`, `${s.name.replaceAll("_", " ")}, lowest first`], [`-${s.name}`, `${s.name.replaceAll("_", " ")}, highest first`]])], update)
    : null;
  const evidence = el("input", { type: "checkbox", checked: scores.length <= 12, change: update });
  const status = el("p", { class: "note", role: "status", id: "found" });
  const list = el("div", { id: "pair-list" });
  const show = paged(list, 50, (batch) => (batch.length ? batch.map((at) => pairCard(at, current, evidence.checked)) : [el("p", { class: "none" }, "No pairs match.")]), "pairs");
  const clear = () => {
    for (const control of [search, low, high, result, order, ...facets.map(([control]) => control)]) if (control) control.value = "";
  };
  filterPairs = ({ low: least = "", high: most = "", result: why = "" }) => {
    clear();
    if (low) (low.value = least === "" ? "" : +least.toFixed(4)), (high.value = most === "" ? "" : +most.toFixed(4));
    if (result) result.value = why;
    update();
  };
  view.append(el("h2", {}, "Pairs"),
    el("p", { class: "about-it" }, rows < total ? `${sampled(rows, total, "pairs")}The sample has pairs at every score and with every reason.` : "Both sides of each pair, with its scores and where it comes from."),
    el("div", { class: "bar-of-tools", role: "search", "aria-label": "Pairs" },
      field("Search", search, true),
      lead ? el("div", { class: "field" }, el("label", { for: low.id }, `${lead[0].toUpperCase()}${lead.slice(1)} from, to`), el("div", { class: "range" }, low, "–", high)) : null,
      result ? field("Filter", result) : null,
      facets.map(([control, , label]) => field(label, control)),
      order ? field("Order", order) : null,
      scores.length ? el("label", { class: "check" }, evidence, "evidence") : null,
      el("button", { type: "button", class: "plain", click: () => { clear(); update(); } }, "Clear")),
    status, list);
  update();
}]);

// The view Pairs: search, filters, and pairs side by side.

let filterPairs = null;
function openPairs(wanted) {
  drawView("pairs");
  filterPairs(wanted);
  showView("pairs", true);
}

if (data.pairs?.total) views.push(["pairs", "Pairs", (view) => {
  const { columns, values, scores, lead, rows, total, drops } = data.pairs;
  const allTexts = (item) => {
    const { new_source_text: source = "", new_target_text: target = "" } = store.get(item);
    return `${item.source_text}\n${item.target_text}\n${source}\n${target}`;
  };
  const update = () => {
    const textQuery = query(search.value);
    const [least, most] = [low, high].map((input) => (input && input.value !== "" ? Number(input.value) : null));
    const matches = pairItems.filter((item) => {
      const { at } = item;
      if (lead && (least !== null || most !== null)) {
        const x = values[lead][at];
        if (x === null || (least !== null && x < least) || (most !== null && x > most)) return false;
      }
      if (result?.value === "kept" && !store.keeps(item)) return false;
      if (result?.value === "dropped" && store.keeps(item)) return false;
      if (!hasState(item, states.value)) return false;
      if (result?.value.startsWith("=") && columns.why[at] !== result.value.slice(1)) return false;
      if (facets.some(([control, of]) => control.value !== "" && of(at) !== control.value)) return false;
      return !textQuery || textQuery.matches(allTexts(item));
    });
    if (order && order.value !== "") {
      const [key, turn] = [values[order.value.slice(1)], order.value[0] === "+" ? 1 : -1];
      matches.sort(({ at: a }, { at: b }) => (key[a] === null) - (key[b] === null) || turn * (key[a] - key[b]) || a - b);
    }
    status.textContent = matches.length === rows ? plural(rows, "pair") : `${count(matches.length)} of ${plural(rows, "pair")}`;
    current = textQuery;
    reviewing.show(matches);
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
    const options = [...new Set(pairItems.map(({ at }) => of(at)))].sort();
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
  const states = select(REVIEW_STATES, update);
  const evidence = el("input", { type: "checkbox", checked: scores.length <= 12, change: update });
  const status = el("p", { class: "note", role: "status", id: "found" });
  const list = el("div", { id: "pair-list" });
  const show = paged(list, 50, (batch) => (batch.length ? batch.map(card) : [el("p", { class: "none" }, "No pairs match.")]), "pairs");
  const card = (item) => pairCard(item, current, evidence.checked, reviewing.attributes(item));
  const reveal = (item) => {
    show.reveal(item);
    return reviewing.element(item);
  };
  const reviewing = makeReviewer("pairs", { reveal, redraw: (item) => reviewing.element(item)?.replaceWith(card(item)), search, actions: PAIR_ACTIONS });
  const clear = () => {
    for (const control of [states, search, low, high, result, order, ...facets.map(([control]) => control)]) if (control) control.value = "";
  };
  filterPairs = ({ low: least = "", high: most = "", result: why = "" }) => {
    clear();
    if (low) (low.value = least === "" ? "" : +least.toFixed(4)), (high.value = most === "" ? "" : +most.toFixed(4));
    if (result) result.value = why;
    update();
  };
  openers.pair = (parts) => {
    const item = itemByKey.get(pairKey(parts.get("pair")));
    if (item?.at === undefined) return false;
    showView("pairs");
    if (!reviewing.has(item)) {
      clear();
      update();
    }
    reviewing.go(item);
    reviewing.element(item)?.scrollIntoView({ block: "center" });
    return true;
  };
  view.append(el("h2", {}, "Pairs"),
    el("p", { class: "about-it" }, rows < total ? `${sampled(rows, total, "pairs")}The sample has pairs at every score and with every reason.` : "Both sides of each pair, with its scores and where it comes from."),
    el("div", { class: "bar-of-tools", role: "search", "aria-label": "Pairs" },
      field("Search", search, true),
      lead ? el("div", { class: "field" }, el("label", { for: low.id }, `${lead[0].toUpperCase()}${lead.slice(1)} from, to`), el("div", { class: "range" }, low, "–", high)) : null,
      result ? field("Filter", result) : null,
      facets.map(([control, , label]) => field(label, control)),
      field("Review", states),
      order ? field("Order", order) : null,
      scores.length ? el("label", { class: "check" }, evidence, "evidence") : null,
      el("button", { type: "button", class: "plain", click: () => { clear(); update(); } }, "Clear"),
      copyButtons(() => reviewing.entries().map(pairRow), "pair")),
    status, list);
  update();
}]);

// One pair, side by side, with its scores and where it comes from.

// Link to the page of one side. `samePage`: the page has just been named.
function origin(side, at, samePage) {
  const { columns, docs } = data.pairs;
  const doc = columns[`${side}_doc`]?.[at];
  if (doc === null || doc === undefined) return null;
  const [id, uri] = docs[doc];
  const segments = columns[`${side}_segments`]?.[at] ?? [];
  const which = segments.length ? `${segments.length === 1 ? "segment" : "segments"} ${segments.map(count).join(", ")}` : "";
  const label = [samePage ? "" : uri ? short(uri) : id, which].filter(Boolean).join(", ") || "its page";
  const item = itemByKey.get(segmentKey(id, segments[0] ?? 0));
  if (item?.page === undefined) return name(label);
  return el("button", { type: "button", class: "link", click: () => openSegment(item) }, name(label));
}

// A text with what a person changed it to; the text before stays below.
function editedText(lang, before, after, search) {
  if (after === undefined) return text("p", lang, highlight(before, search));
  return el("div", { class: "edited" }, text("p", lang, highlight(after, search)), el("p", { class: "note" }, "was:"), text("del", lang, before));
}

function pairCard(item, search, evidence, attributes = {}) {
  const { columns, values, scores } = data.pairs;
  const { at } = item;
  const get = (key) => columns[key]?.[at] ?? null;
  const now = store.get(item);
  const kept = store.keeps(item);
  const side = (key) => editedText(get(`${key}_lang`), item[`${key}_text`], now[`new_${key}_text`], search);
  const meters = ["quality", "score"].filter((key) => key in values).map((key) => {
    const x = values[key][at];
    return el("span", {}, key, el("span", { class: "meter", "aria-hidden": "true" }, el("i", { "--w": `${100 * Math.min(Math.max(x ?? 0, 0), 1)}%` })), el("b", {}, decimal(x)));
  });
  const same = get("source_doc") !== null && get("source_doc") === get("target_doc");
  const pages = [origin("source", at, false), origin("target", at, same)];
  const others = scores.filter((score) => score.name !== "quality" && score.name !== "score");
  return el("article", { ...attributes, class: `pair ${kept ? "" : "dropped"} ${stateClass(item)}`, "aria-label": `Pair ${count(get("row") + 1)}` },
    side("source"), side("target"),
    el("div", { class: "foot" }, stateMark(item), meters,
      item.keep ? null : el("span", { class: "no" }, `dropped: ${get("why")}`),
      get("method") === "translated" ? el("span", { class: "machine" }, "machine translation") : null,
      [...(get("flags") ?? []), ...(get("pii") ?? [])].map((flag) => el("span", { class: "no" }, flag)),
      get("split") ? el("span", {}, get("split")) : null,
      el("span", { class: "from" }, pages[0] ?? "", pages[0] && pages[1] ? (same ? " and " : " → ") : "", pages[1] ?? ""),
      item.key ? el("button", { type: "button", class: "link", click: () => copyLink(item) }, "Copy link") : null),
    evidence && others.length
      ? el("dl", { class: "evidence" }, others.map((score) => el("div", { title: data.meanings[score.name] }, el("dt", {}, score.name.replaceAll("_", " ")), el("dd", {}, value(values[score.name][at])))))
      : null);
}

// Two fields in place of the texts of a pair.
function editPair(item) {
  const active = reviewer();
  if (isCut(item.source_text) || isCut(item.target_text)) return say(`A text of this pair is cut after ${count(data.cut)} characters here, so the pair cannot be edited`, true);
  const card = active.element(item);
  if (!card) return;
  const { columns } = data.pairs;
  const now = store.get(item);
  const area = (side) => {
    const words = now[`new_${side}_text`] ?? item[`${side}_text`];
    const box = el("textarea", { ...reading(columns[`${side}_lang`][item.at]), class: "text", rows: Math.min(12, Math.max(3, Math.ceil(words.length / 50))), "aria-label": `${side} text, ${langName(columns[`${side}_lang`][item.at] ?? "und")}` });
    box.value = words;
    return box;
  };
  const [source, target] = [area("source"), area("target")];
  const leave = () => {
    active.changed([item]);
    active.element(item)?.focus({ preventScroll: true });
  };
  const save = () => {
    const changed = (box, side) => (box.value === item[`${side}_text`] || !box.value.trim() ? null : box.value);
    decide({ new_source_text: changed(source, "source"), new_target_text: changed(target, "target") });
  };
  const editor = el("form", {
    class: "editor",
    submit: (event) => { event.preventDefault(); save(); },
    keydown: (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
      else if (event.key === "Escape") leave();
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
  }, source, target,
  el("div", { class: "foot" },
    el("button", { type: "submit", class: "plain primary" }, "Keep the edit ", el("kbd", {}, "Ctrl + Enter")),
    el("button", { type: "button", class: "plain", click: leave }, "Leave ", el("kbd", {}, "Esc"))));
  card.replaceChildren(editor);
  target.focus();
}

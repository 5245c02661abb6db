// The view Unmatched: kept sentences of aligned pages that are in no pair.

if (data.unmatched?.pages.length) views.push(["unmatched", "Unmatched", (view) => {
  const { pages, total, without } = data.unmatched;
  const search = el("input", { type: "search", autocomplete: "off", placeholder: "words of a sentence or the name of a page", input: debounce(() => update()) });
  const sides = select([["", "both sides"], ["source", "source side"], ["target", "target side"]], () => update());
  const status = el("p", { class: "note", role: "status" });
  const list = el("div", { class: "listed" });
  let current = null;
  const column = (page, which, found) => {
    const side = page[which];
    return el("div", {},
      el("h4", {}, langName(side.lang ?? "und"), " ", el("span", { class: "note" }, name(short(side.uri ?? side.doc_id)))),
      found.length ? el("ul", { class: "alone" }, found.map(([segment, words]) => {
        const item = itemByKey.get(segmentKey(side.doc_id, segment));
        return el("li", reading(side.lang), text("p", side.lang, highlight(words, current)),
          item?.page === undefined ? null : el("button", { type: "button", class: "link where", click: () => openSegment(item) }, `segment ${count(segment)}`));
      })) : el("p", { class: "note" }, side.count ? "None match." : "Every sentence is in a pair."),
      side.count > side.sentences.length ? el("p", { class: "note" }, `The first ${count(side.sentences.length)} of ${count(side.count)} sentences.`) : null);
  };
  const show = paged(list, 10, (batch) => (batch.length ? batch.map(({ page, source, target }) =>
    el("article", { class: "couple" }, sides.value === "target" ? null : column(page, "source", source), sides.value === "source" ? null : column(page, "target", target)))
    : [el("p", { class: "none" }, "No sentences match.")]), "pages without a match");
  const chosen = () => pages.map((page) => {
    const matching = (which) => {
      const side = page[which];
      if ((sides.value && sides.value !== which)) return [];
      return current && !current.matches(side.uri ?? "") ? side.sentences.filter(([, words]) => current.matches(words)) : side.sentences;
    };
    return { page, source: matching("source"), target: matching("target") };
  }).filter(({ source, target }) => source.length + target.length);
  const rows = () => chosen().flatMap(({ page, ...found }) => ["source", "target"].flatMap((which) =>
    found[which].map(([segment, words]) => ({ side: which, lang: page[which].lang, doc_id: page[which].doc_id, uri: page[which].uri, segment, text: words }))));
  const update = () => {
    current = query(search.value);
    const matches = chosen();
    const sentences = matches.reduce((sum, { source, target }) => sum + source.length + target.length, 0);
    status.textContent = `${plural(sentences, "sentence")} on ${count(matches.length)} pairs of pages`;
    show(matches);
  };
  view.append(el("h2", {}, "Unmatched sentences"),
    el("p", { class: "about-it" }, `Kept sentences of aligned pages that are in no pair: on ${count(without)} of ${count(total)} pairs of pages. `,
      pages.length < without ? `${count(pages.length)} of them are shown. ` : "", "They have no counterpart on the other page, or the alignment missed it."),
    el("div", { class: "bar-of-tools", role: "search", "aria-label": "Unmatched sentences" }, field("Search", search, true), field("Side", sides), copyButtons(rows, "sentence")),
    status, list);
  update();
}]);

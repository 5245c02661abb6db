// The view Dropped: for each reason, all that the report has of it.

if (data.segments?.drops.length || data.pairs?.drops.length) views.push(["dropped", "Dropped", (view) => {
  const { segments, pairs } = data;
  // A list is drawn when its reason is opened.
  const reasons = (drops, whole, most, fill) => drops.map((drop, at) => {
    const inside = el("div", { class: "inside" });
    const details = el("details", { class: "reason", toggle: () => details.open && details.fill() },
    el("summary", {}, el("b", {}, drop.reason), el("span", { class: "n" }, count(drop.count)), el("span", { class: "n" }, share(drop.count, whole)),
      el("span", { class: "track", "aria-hidden": "true" }, el("i", { "--w": `${(100 * drop.count) / most}%`, "--c": roleColor(drop.reason) }))),
    inside);
    details.fill = () => inside.hasChildNodes() || fill(drop, inside);
    details.open = at === 0;
    return details;
  });
  const amount = (listed, all, where) =>
    el("p", { class: "note" }, listed < all ? `${count(listed)} of ${count(all)} are in this report. All are in ${where}.` : `All ${count(all)} are listed.`);

  const segmentLine = (row) => {
    const where = name(`${short(row.uri ?? row.doc_id)}, line ${count(row.line)}`);
    const item = itemByKey.get(segmentKey(row.doc_id, row.segment));
    return el("li", {}, text("p", row.lang, row.text),
      el("p", { class: "where" }, `${row.role} ${decimal(row.score)}, ${langName(row.lang)}, `,
        item?.page === undefined ? where : el("button", { type: "button", class: "link", click: () => openSegment(item) }, where)));
  };
  if (segments?.drops.length) {
    const most = Math.max(...segments.drops.map((drop) => drop.count));
    view.append(el("h2", {}, "Dropped segments"),
      el("p", { class: "about-it" }, "Dropped segments are still in segments.parquet. The number after the role is its probability."),
      ...reasons(segments.drops, segments.segments, most, (drop, inside) => {
        const onPages = segmentItems.filter((item) => item.why === drop.reason);
        const elsewhere = drop.examples.filter((row) => !pageOf.has(row.doc_id)).map((row) => ({ ...row, score: row.role_score }));
        const rows = [...onPages, ...elsewhere];
        const list = el("div", { class: "listed" });
        inside.append(amount(rows.length, drop.count, "segments.parquet"), list);
        paged(list, 25, (batch) => [el("ul", { class: "examples" }, batch.map(segmentLine))], `segments: ${drop.reason}`)(rows);
      }));
  }
  if (pairs?.drops.length) {
    const most = Math.max(...pairs.drops.map((drop) => drop.count));
    view.append(el("h2", {}, "Dropped pairs"),
      el("p", { class: "about-it" }, "Each pair is listed under the first rule that it failed. Dropped pairs are still in the file; only exports leave them out."),
      ...reasons(pairs.drops, pairs.total, most, (drop, inside) => {
        const items = pairItems.filter((item) => pairs.columns.why[item.at] === drop.reason);
        const list = el("div", { class: "listed" });
        inside.append(amount(items.length, drop.count, pairs.files.join(" and ")),
          el("p", {}, el("button", { type: "button", class: "plain", click: () => openPairs({ result: `=${drop.reason}` }) }, "Review them")), list);
        paged(list, 20, (batch) => batch.map((item) => pairCard(item, null, true)), `pairs: ${drop.reason}`)(items);
      }));
  }
}]);

// The view Overview.

function summary() {
  const { pages, segments, pairs, sources } = data;
  const sentences = [];
  if (pages) {
    const from = sources && sources.total !== pages.pages ? ` from ${plural(sources.total, "source")}` : "";
    sentences.push(pages.pages ? `Read ${plural(pages.pages, "page")}${from}.` : "No pages were read.");
    if (pages.errors) sentences.push(`${plural(pages.errors, "page")} could not be used.`);
  }
  if (segments)
    sentences.push(segments.kept
      ? `Of ${plural(segments.segments, "segment")}, ${count(segments.kept)} are kept as the text of ${data.articles ? plural(data.articles, "article") : "articles"}; the others are boilerplate, captions, bylines or repeats.`
      : segments.segments ? `None of the ${plural(segments.segments, "segment")} is kept.` : "There are no segments.");
  if (pairs)
    sentences.push(!pairs.total ? "There are no pairs of translations."
      : pairs.kept === null ? `Found ${plural(pairs.total, "pair")} of translations.`
        : pairs.kept ? `Of ${plural(pairs.total, "pair")} of translations, ${count(pairs.kept)} are kept.` : `None of the ${plural(pairs.total, "pair")} of translations is kept.`);
  return sentences.join(" ");
}

function figures() {
  const { pages, segments, pairs } = data;
  const shown = [];
  if (pages) shown.push(["pages", pages.pages, ""]);
  if (segments) shown.push(["segments", segments.segments, ""], ["segments kept", segments.kept, share(segments.kept, segments.segments)]);
  if (data.articles !== null && data.articles !== undefined) shown.push(["articles", data.articles, ""]);
  if (pairs) shown.push(["pairs", pairs.total, ""]);
  if (pairs && pairs.kept !== null) shown.push(["pairs kept", pairs.kept, share(pairs.kept, pairs.total)]);
  return el("dl", { class: "figures" }, shown.map(([label, n, more]) =>
    el("div", {}, el("dt", {}, label), el("dd", {}, count(n), more ? el("small", {}, more) : null))));
}

// Segments by role and language, for the run or for one source: entries are [role, lang, segments, kept].
function matrix(entries, caption) {
  const cells = new Map();
  const by_lang = new Map();
  for (const [role, lang, n, kept] of entries) {
    const row = cells.get(role) ?? cells.set(role, { langs: new Map(), all: 0, kept: 0 }).get(role);
    row.langs.set(lang, (row.langs.get(lang) ?? 0) + n);
    row.all += n;
    row.kept += kept;
    by_lang.set(lang, (by_lang.get(lang) ?? 0) + n);
  }
  const langs = [...by_lang].sort((a, b) => b[1] - a[1]).map(([lang]) => lang);
  const shown = langs.length > 8 ? langs.slice(0, 7) : langs;
  const other = langs.slice(shown.length);
  const most = Math.max(...[...cells.values()].flatMap((row) => [...row.langs.values()]), 1);
  const total = (row, langs) => langs.reduce((sum, lang) => sum + (row.langs.get(lang) ?? 0), 0);
  const columns = [...shown.map((lang) => [lang]), ...(other.length ? [other] : [])];
  const line = (label, row, tinted) =>
    el("tr", {}, el("th", { scope: "row" }, label),
      columns.map((group) => {
        const n = total(row, group);
        return cell(n ? count(n) : "·", { class: n ? "" : "zero", "--tint": tinted && n ? (2 + 38 * Math.sqrt(n / most)).toFixed(1) : "0" });
      }),
      cell(count(row.all), { class: "sum" }), cell(row.kept ? count(row.kept) : "·", { class: `sum ${row.kept ? "" : "zero"}` }));
  const rows = data.roles.filter((role) => cells.has(role)).map((role) =>
    line([el("span", { class: "swatch", "--c": roleColor(role) }), role], cells.get(role), true));
  const all = { langs: by_lang, all: 0, kept: 0 };
  for (const row of cells.values()) (all.all += row.all), (all.kept += row.kept);
  return table(caption,
    [head("Role"), ...shown.map((lang) => head(langName(lang), true)), ...(other.length ? [head(`${other.length} others`, true, { title: other.map(langName).join(", ") })] : []), head("All", true), head("Kept", true)],
    rows, { class: "matrix" }, line("all", all, false));
}

views.push(["overview", "Overview", (view) => {
  view.append(el("h2", { class: "sr" }, "Overview"), el("p", { class: "lede" }, summary()), figures());
  const { pages, segments, pairs } = data;
  if (pages?.funnel.some((step) => step.took))
    view.append(el("h2", {}, "Pages"), funnelTable("Pages that were read, and those that cannot be used", "read", pages.funnel, "usable", pages.pages));
  if (segments?.segments)
    view.append(
      el("h2", {}, "From segments to text"),
      funnelTable("Segments that each rule removed, in order: first those outside article text, then repeated ones", "segments", segments.funnel, "kept", segments.segments));
  if (pairs?.funnel.length)
    view.append(el("h2", {}, "From pairs to a data set"),
      funnelTable("Pairs that each rule removed, in order", "pairs", pairs.funnel, "kept", pairs.funnel[0].in));
  if (pairs?.by.length)
    view.append(el("h2", {}, "Pairs by direction"), table("Pairs by direction and method",
      [head("From"), head("To"), head("Method"), ...("split" in pairs.by[0] ? [head("Split")] : []), head("Pairs", true), ...(pairs.kept === null ? [] : [head("Kept", true)])],
      pairs.by.map((row) => el("tr", {}, el("th", { scope: "row" }, langName(row.source_lang ?? "und")), el("td", {}, langName(row.target_lang ?? "und")), el("td", {}, row.method ?? "–"),
        "split" in row ? el("td", {}, row.split ?? "–") : null, cell(count(row.pairs)), pairs.kept === null ? null : cell(count(row.kept)))), { quiet: true }));
  if (segments?.segments)
    view.append(el("h2", {}, "Roles and languages"),
      matrix(segments.spread.map((row) => [row.role, row.lang, row.segments, row.kept]), "Segments by role and language, and how many are kept"));
  if (pages?.in_error.length)
    view.append(el("h2", {}, "Pages in error"),
      table(pages.errors > pages.in_error.length ? `The first ${count(pages.in_error.length)} of ${count(pages.errors)} pages that could not be used; documents.parquet lists all of them` : "Pages that could not be used",
        [head("Page"), head("Reason")],
        pages.in_error.map((page) => el("tr", {}, el("th", { scope: "row" }, name(short(page.uri))), el("td", {}, name(page.error))))));
}]);

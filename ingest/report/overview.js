// The views Overview, Sources, Dropped and About.

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
      ? `Of ${plural(segments.segments, "segment")}, ${count(segments.kept)} are kept as the text of ${data.articles ? plural(data.articles, "article") : "articles"}; the rest is boilerplate, captions and bylines, or repeated.`
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

if (data.sources?.total) views.push(["sources", "Sources", (view) => {
  const { rows, total, rest } = data.sources;
  const detail = el("div", { tabindex: "-1" });
  const spreadBy = (entries, at) => {
    const sums = new Map();
    for (const entry of entries) sums.set(entry[at], (sums.get(entry[at]) ?? 0) + entry[2]);
    return at === 0
      ? data.roles.filter((role) => sums.has(role)).map((role) => [role, sums.get(role)])
      : [...sums].sort((a, b) => b[1] - a[1]);
  };
  const open = (row) => {
    detail.replaceChildren(el("h2", {}, name(short(row[0]))), matrix(row[6], "Segments of this source by role and language"));
    detail.focus({ preventScroll: true });
    detail.scrollIntoView({ block: "nearest" });
  };
  const columns = [["Source", (r) => r[0], ""], ["Pages", (r) => r[1], "n optional"], ["In error", (r) => r[2], "n optional"], ["Segments", (r) => r[4], "n"], ["Kept", (r) => r[5], "n"]];
  let by = 3, down = true;
  const list = el("div", {});
  const search = el("input", { type: "search", autocomplete: "off", input: debounce(() => update()) });
  const status = el("p", { class: "note", role: "status" });
  const headers = () => [
    ...columns.map(([label, , shape], at) =>
      el("th", { scope: "col", class: shape, "aria-sort": by === at ? (down ? "descending" : "ascending") : "none" },
        el("button", { type: "button", click: () => { down = by === at ? !down : at > 0; by = at; update(); list.querySelectorAll("thead button")[at]?.focus({ preventScroll: true }); } }, `${label}${by === at ? (down ? " ↓" : " ↑") : ""}`))),
    head("Languages"), head("Roles", false, { class: "optional" })];
  const show = paged(list, 50, (batch) => [table("Sources and their segments", headers(),
    batch.map((row) => el("tr", {},
      el("th", { scope: "row" }, row[6].length ? el("button", { type: "button", class: "link", click: () => open(row) }, name(short(row[0]))) : name(short(row[0]))),
      cell(count(row[1]), { class: "optional" }), cell(count(row[2]), { class: "optional" }), cell(count(row[4])), cell(count(row[5])),
      el("td", {}, stacked(spreadBy(row[6], 1), langColor, langName)), el("td", { class: "optional" }, stacked(spreadBy(row[6], 0), roleColor, String)))), { quiet: true })], "sources");
  const update = () => {
    const textQuery = query(search.value);
    const matches = rows.filter((row) => !textQuery || textQuery.matches(row[0]));
    const key = columns[by][1];
    matches.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0) * (down ? -1 : 1));
    status.textContent = textQuery ? `${count(matches.length)} of ${plural(rows.length, "source")}` : plural(rows.length, "source");
    show(matches);
  };
  view.append(el("h2", {}, "Sources"),
    el("p", { class: "about-it" }, COMMON_FOLDER ? ["All names start with ", name(COMMON_FOLDER), ". "] : "",
      rows.length < total ? `These are the ${count(rows.length)} of ${count(total)} sources with the most segments. The others have ${plural(rest[0], "page")}, ${count(rest[1])} of them in error, and ${plural(rest[2], "segment")}, ${count(rest[3])} of them kept.` : ""),
    legend(LANGS.filter((l) => LANG_COLORS.has(l)).map((l) => [langName(l), langColor(l)]).concat([["other or none", "var(--lang-other)"]])),
    legend(data.roles.map((role) => [role, roleColor(role)])),
    el("div", { class: "bar-of-tools" }, field("Find a source", search, true), status), list, detail);
  update();
}]);

if (data.segments?.drops.length || data.pairs?.drops.length) views.push(["dropped", "Dropped", (view) => {
  const reasons = (drops, whole, most, examples) => drops.map((drop, at) =>
    el("details", { class: "reason", open: at === 0 },
      el("summary", {}, el("b", {}, drop.reason), el("span", { class: "n" }, count(drop.count)), el("span", { class: "n" }, share(drop.count, whole)),
        el("span", { class: "track", "aria-hidden": "true" }, el("i", { "--w": `${(100 * drop.count) / most}%`, "--c": roleColor(drop.reason) }))),
      examples(drop)));
  const { segments, pairs } = data;
  if (segments?.drops.length) {
    const pages = new Map((data.views?.pages ?? []).map((page, at) => [page.doc_id, at]));
    const most = Math.max(...segments.drops.map((drop) => drop.count));
    view.append(el("h2", {}, "Dropped segments"),
      el("p", { class: "about-it" }, "Dropped segments are still in segments.parquet. Open a reason to see random examples."),
      ...reasons(segments.drops, segments.segments, most, (drop) =>
        el("ul", { class: "examples" }, drop.examples.map((row) => {
          const at = pages.get(row.doc_id);
          const where = `line ${count(row.line)}`;
          return el("li", {}, text("p", row.lang, row.text),
            el("p", { class: "where" }, `${row.role}, ${langName(row.lang)}, `, at === undefined ? where : el("button", { type: "button", class: "link", click: () => openPage(at, row.line) }, where)));
        }))));
  }
  if (pairs?.drops.length) {
    const most = Math.max(...pairs.drops.map((drop) => drop.count));
    view.append(el("h2", {}, "Dropped pairs"),
      el("p", { class: "about-it" }, "Each pair is listed under the first rule that it failed. Dropped pairs are still in the file; only exports leave them out."),
      ...reasons(pairs.drops, pairs.total, most, (drop) => {
        const rows = pairRows.filter((at) => pairs.columns.why[at] === drop.reason);
        return el("div", { class: "examples" }, rows.slice(0, 4).map((at) => pairCard(at, null, false)),
          el("p", {}, el("button", { type: "button", class: "plain", click: () => openPairs({ result: `=${drop.reason}` }) }, "Show all in this report")));
      }));
  }
}]);

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

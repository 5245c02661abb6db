// The view Pages: one page, segment by segment, next to its kept text.

let goToPage = null;
function openPage(at, line) {
  drawView("pages");
  showView("pages");
  goToPage(at, line);
}

if (data.views?.pages.length) views.push(["pages", "Pages", (view) => {
  const { pages, total } = data.views;
  const BATCH = 400; // rows drawn at once
  let at = 0;
  const search = el("input", { type: "search", autocomplete: "off", input: debounce(() => list()) });
  const status = el("p", { class: "note", role: "status" });
  const pageList = el("ul", { "aria-label": "Pages" });
  const sheet = el("article", { class: "sheet", tabindex: "-1" });
  const show = choice("Show", [["all", "all"], ["kept", "kept"], ["dropped", "dropped"]], () => draw());
  const color = choice("Color by", [["role", "role"], ["lang", "language"]], () => draw());
  const chosen = (group) => group.querySelector("input:checked").value;

  function list() {
    const textQuery = query(search.value);
    const matches = pages.map((page, n) => n).filter((n) => !textQuery || textQuery.matches(`${pages[n].uri} ${pages[n].title ?? ""}`));
    status.textContent = textQuery ? `${count(matches.length)} of ${plural(pages.length, "page")}` : plural(pages.length, "page");
    pageList.replaceChildren(...matches.map((n) =>
      el("li", {}, el("button", { type: "button", "data-page": n, "aria-current": n === at ? "true" : null, click: () => openAt(n) },
        name(short(pages[n].uri)), el("small", {}, `${count(pages[n].kept)} of ${count(pages[n].segments)} kept`)))));
  }

  function openAt(n) {
    at = n;
    for (const button of pageList.querySelectorAll("button"))
      button.dataset.page === String(n) ? button.setAttribute("aria-current", "true") : button.removeAttribute("aria-current");
    draw();
  }

  // segment: [segment, line, lang, role, article, role_score, duplicate_of, why, text]
  function row(segment, previousArticle, lines) {
    const [, line, lang, role, article, score, same, why, words] = segment;
    const kept = why === null;
    const c = chosen(color) === "role" ? roleColor(role) : langColor(lang);
    const reason = same !== null && why !== role ? `${why}${lines.has(same) ? `: same as line ${count(lines.get(same))}` : ""}` : why === role ? "" : why;
    return el("li", { class: `row ${role} ${kept ? "kept" : "dropped"}`, "data-line": line, "--c": c },
      kept && article !== previousArticle ? el("p", { class: "article" }, `Article ${count(article)}`) : null,
      el("span", { class: "line" }, el("span", { class: "sr" }, "line "), count(line)),
      el("span", { class: "role", title: `${langName(lang)}; role ${decimal(score)}` }, el("b", {}, role), ` ${lang}`),
      text("p", lang, words, { class: "seg" }),
      kept ? text("p", lang, words, { class: "out", "aria-hidden": "true" }) : el("p", { class: "why" }, reason ?? ""));
  }

  function draw() {
    const page = pages[at];
    const which = chosen(show);
    const lines = new Map(page.rows.map((row) => [row[0], row[1]]));
    const rows = page.rows.filter((row) => which === "all" || (row[7] === null) === (which === "kept"));
    const body = el("ol", { class: "segments", "aria-label": "Segments" });
    body.append(el("li", { class: "row head", "aria-hidden": "true" }, el("span", { class: "line" }, "line"), el("span", {}, "role"), el("span", {}, "original"), el("span", {}, "kept")));
    let drawn = 0;
    let article = 0;
    const more = el("button", { type: "button", class: "plain", click: () => extend() });
    const extend = (to = drawn + BATCH) => {
      for (; drawn < Math.min(to, rows.length); drawn++) {
        body.append(row(rows[drawn], article, lines));
        if (rows[drawn][7] === null) article = rows[drawn][4];
      }
      more.hidden = drawn >= rows.length;
      more.textContent = `Show ${count(Math.min(BATCH, rows.length - drawn))} more of ${count(rows.length - drawn)}`;
    };
    sheet.extend = extend;
    extend();
    const used = chosen(color) === "role"
      ? data.roles.filter((role) => page.rows.some((row) => row[3] === role)).map((role) => [role, roleColor(role)])
      : [...new Set(page.rows.map((row) => row[2]))].map((lang) => [langName(lang), langColor(lang)]);
    sheet.replaceChildren(
      el("h3", {}, text("span", null, page.title || short(page.uri))),
      el("p", { class: "note" }, name(page.uri), page.url ? [" · ", name(page.url)] : []),
      el("p", { class: "note" }, `${count(page.kept)} of ${plural(page.segments, "segment")} kept.`,
        page.rows.length < page.segments ? ` Only the first ${count(page.rows.length)} segments are shown, because the page is very long.` : ""),
      el("div", { class: "bar-of-tools" }, show, color), legend(used),
      rows.length ? body : el("p", { class: "none" }, `No segments are ${which}.`), more);
  }

  goToPage = (n, line) => {
    show.querySelector("input").checked = true;
    openAt(n);
    sheet.extend(Infinity);
    const target = [...sheet.querySelectorAll(".row[data-line]")].find((row) => Number(row.dataset.line) >= line);
    sheet.focus({ preventScroll: true });
    target?.scrollIntoView({ block: "center" });
  };

  view.append(el("h2", {}, "Pages"),
    el("p", { class: "about-it" }, sampled(pages.length, total, "pages"), "Each segment of a page, colored by role or language, next to the kept text."),
    el("div", { class: "reader" }, el("div", { class: "shelf" }, field("Find a page", search), status, pageList), sheet));
  list();
  draw();
}]);

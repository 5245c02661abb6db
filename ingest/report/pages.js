// A page, segment by segment, beside the text that is kept of it.

let turnTo = null;
function openPage(at, line) {
  drawView("pages");
  showView("pages");
  turnTo(at, line);
}

if (data.views?.pages.length) views.push(["pages", "Pages", (view) => {
  const { pages, total } = data.views;
  const MOST = 400; // rows drawn at once
  let at = 0;
  const search = el("input", { type: "search", autocomplete: "off", input: rested(() => list()) });
  const status = el("p", { class: "note", role: "status" });
  const shelf = el("ul", { "aria-label": "Pages" });
  const sheet = el("article", { class: "sheet", tabindex: "-1" });
  const show = choice("Show", [["all", "all"], ["kept", "kept"], ["dropped", "dropped"]], () => draw());
  const colour = choice("Colour by", [["role", "role"], ["lang", "language"]], () => draw());
  const chosen = (group) => group.querySelector("input:checked").value;

  function list() {
    const asked = query(search.value);
    const found = pages.map((page, n) => n).filter((n) => !asked || asked.found(`${pages[n].uri} ${pages[n].title ?? ""}`));
    status.textContent = asked ? `${count(found.length)} of ${many(pages.length, "page")}` : many(pages.length, "page");
    shelf.replaceChildren(...found.map((n) =>
      el("li", {}, el("button", { type: "button", "data-page": n, "aria-current": n === at ? "true" : null, click: () => turn(n) },
        name(short(pages[n].uri)), el("small", {}, `${count(pages[n].kept)} of ${count(pages[n].segments)} kept`)))));
  }

  function turn(n) {
    at = n;
    for (const button of shelf.querySelectorAll("button"))
      button.dataset.page === String(n) ? button.setAttribute("aria-current", "true") : button.removeAttribute("aria-current");
    draw();
  }

  // [segment, line, lang, role, article, role_score, duplicate_of, why, text], as the data have them
  function row(found, before, lines) {
    const [, line, lang, role, article, score, same, why, words] = found;
    const kept = why === null;
    const c = chosen(colour) === "role" ? roleColour(role) : langColour(lang);
    const reason = same !== null && why !== role ? `${why}${lines.has(same) ? `: as line ${count(lines.get(same))}` : ""}` : why === role ? "" : why;
    return el("li", { class: `row ${role} ${kept ? "kept" : "dropped"}`, "data-line": line, "--c": c },
      kept && article !== before ? el("p", { class: "article" }, `Article ${count(article)}`) : null,
      el("span", { class: "line" }, el("span", { class: "sr" }, "line "), count(line)),
      el("span", { class: "role", title: `${langName(lang)}; role ${decimal(score)}` }, el("b", {}, role), ` ${lang}`),
      text("p", lang, words, { class: "seg" }),
      kept ? text("p", lang, words, { class: "out", "aria-hidden": "true" }) : el("p", { class: "why" }, reason ?? ""));
  }

  function draw() {
    const page = pages[at];
    const which = chosen(show);
    const lines = new Map(page.rows.map((one) => [one[0], one[1]]));
    const rows = page.rows.filter((one) => which === "all" || (one[7] === null) === (which === "kept"));
    const body = el("ol", { class: "segments", "aria-label": "Segments" });
    body.append(el("li", { class: "row head", "aria-hidden": "true" }, el("span", { class: "line" }, "line"), el("span", {}, "role"), el("span", {}, "as it came"), el("span", {}, "kept")));
    let drawn = 0;
    let article = 0;
    const more = el("button", { type: "button", class: "plain", click: () => extend() });
    const extend = (to = drawn + MOST) => {
      for (; drawn < Math.min(to, rows.length); drawn++) {
        body.append(row(rows[drawn], article, lines));
        if (rows[drawn][7] === null) article = rows[drawn][4];
      }
      more.hidden = drawn >= rows.length;
      more.textContent = `Show ${count(Math.min(MOST, rows.length - drawn))} more of ${count(rows.length - drawn)}`;
    };
    sheet.extend = extend;
    extend();
    const used = chosen(colour) === "role"
      ? data.roles.filter((role) => page.rows.some((one) => one[3] === role)).map((role) => [role, roleColour(role)])
      : [...new Set(page.rows.map((one) => one[2]))].map((lang) => [langName(lang), langColour(lang)]);
    sheet.replaceChildren(
      el("h3", {}, text("span", null, page.title || short(page.uri))),
      el("p", { class: "note" }, name(page.uri), page.url ? [" · ", name(page.url)] : []),
      el("p", { class: "note" }, `${count(page.kept)} of ${many(page.segments, "segment")} kept.`,
        page.rows.length < page.segments ? ` The first ${count(page.rows.length)} segments are shown; the page is too long for this report.` : ""),
      el("div", { class: "bar-of-tools" }, show, colour), legend(used),
      rows.length ? body : el("p", { class: "none" }, `No segment is ${which}.`), more);
  }

  turnTo = (n, line) => {
    show.querySelector("input").checked = true;
    turn(n);
    sheet.extend(Infinity);
    const there = [...sheet.querySelectorAll(".row[data-line]")].find((one) => Number(one.dataset.line) >= line);
    sheet.focus({ preventScroll: true });
    there?.scrollIntoView({ block: "center" });
  };

  view.append(el("h2", {}, "Pages"),
    el("p", { class: "about-it" }, sampled(pages.length, total, "pages"), "Each segment as it came, coloured by what it is, beside the text that is kept."),
    el("div", { class: "reader" }, el("div", { class: "shelf" }, field("Find a page", search), status, shelf), sheet));
  list();
  draw();
}]);

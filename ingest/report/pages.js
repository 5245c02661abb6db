// The view Pages: one page, segment by segment, next to its kept text.

let goToSegment = null;
function openSegment(item) {
  showView("pages");
  goToSegment(item);
}

// Choices that both Pages and Pairs have.
const REVIEW_STATES = [["", "all"], ["open", "not yet reviewed"], ["reviewed", "reviewed"], ["corrected", "corrected"]];
const hasState = (item, state) =>
  state === "" || (state === "open" ? !store.isReviewed(item) : state === "reviewed" ? store.isReviewed(item) : store.isCorrected(item));

function segmentElement(item, previous, lines, attributes, search, color) {
  const { role: newRole, starts_article: starts } = store.get(item);
  const role = newRole ?? item.role;
  const kept = store.keeps(item);
  const begins = starts ?? (kept && item.starts);
  const repeats = item.same !== null && item.why !== item.role && lines.has(item.same) ? `: same as line ${count(lines.get(item.same))}` : "";
  const reason = item.keep ? "dropped by you" : item.why === item.role && !repeats ? "" : `${item.why}${repeats}`;
  const words = highlight(item.text, search);
  return el("li", {
    ...attributes, class: `row ${role} ${kept ? "kept" : "dropped"} ${stateClass(item)}`, "data-line": item.line,
    "--c": color === "role" ? roleColor(role) : langColor(item.lang),
  },
  begins ? el("p", { class: "article" }, starts === undefined ? `Article ${count(item.article)}` : "A new article") : null,
  el("span", { class: "line" }, el("span", { class: "sr" }, "line "), count(item.line)),
  el("span", { class: "role", title: `${langName(item.lang)}; role ${item.role} with a probability of ${decimal(item.score)}` },
    el("b", {}, role), ` ${item.lang}`, newRole ? el("small", {}, ` was ${item.role}`) : null),
  text("p", item.lang, words, { class: "seg" }),
  kept ? text("p", item.lang, highlight(item.text, search), { class: "out", "aria-hidden": "true" }) : el("p", { class: "why" }, reason),
  stateMark(item));
}

if (data.views?.pages.length) views.push(["pages", "Pages", (view) => {
  const { pages, total } = data.views;
  const BATCH = 400; // rows drawn at once
  let at = 0;
  let current = null; // the search
  let byPage = new Map(); // items that match, by page
  const update = () => {
    current = query(search.value);
    const named = current ? pages.map((page) => current.matches(`${page.uri} ${page.title ?? ""} ${page.url ?? ""}`)) : [];
    const matches = segmentItems.filter((item) =>
      (show.value === "" || (show.value === "kept" ? store.keeps(item) : show.value === "dropped" ? !store.keeps(item) : show.value.slice(1) === item.why))
      && (roles.value === "" || roles.value === (store.get(item).role ?? item.role))
      && (langs.value === "" || langs.value === item.lang)
      && hasState(item, states.value)
      && (!current || named[item.page] || current.matches(item.text)));
    byPage = Map.groupBy(matches, (item) => item.page);
    reviewing.show(matches);
    if (!byPage.has(at)) at = matches[0]?.page ?? at;
    const all = matches.length === segmentItems.length;
    status.textContent = `${all ? "" : `${count(matches.length)} of `}${plural(segmentItems.length, "segment")} on ${plural(byPage.size, "page")}`;
    list();
    draw();
  };
  const search = el("input", { type: "search", autocomplete: "off", placeholder: "words in a text or the name of a page", input: debounce(update) });
  const reasons = [...new Set(segmentItems.map((item) => item.why))].filter(Boolean).sort();
  const show = select([["", "all"], ["kept", "kept"], ["dropped", "dropped"], ...reasons.map((why) => [`=${why}`, `dropped: ${why}`])], update);
  const roles = select([["", "all"], ...data.roles.filter((role) => segmentItems.some((item) => item.role === role)).map((role) => [role, role])], update);
  const langs = select([["", "all"], ...LANGS.filter((lang) => segmentItems.some((item) => item.lang === lang)).map((lang) => [lang, langName(lang)])], update);
  const states = select(REVIEW_STATES, update);
  const controls = [search, show, roles, langs, states];
  const clear = () => controls.forEach((control) => (control.value = ""));
  const color = choice("Color by", [["role", "role"], ["lang", "language"]], () => draw());
  const status = el("p", { class: "note", role: "status" });
  const pageList = el("ul", { "aria-label": "Pages" });
  const sheet = el("article", { class: "sheet", tabindex: "-1" });
  const colorBy = () => color.querySelector("input:checked").value;

  const progressOf = (n) => {
    const items = byPage.get(n) ?? [];
    const done = items.filter(store.isReviewed).length;
    return `${count(pages[n].kept)} of ${count(pages[n].segments)} kept${done ? ` · ${count(done)} reviewed` : ""}`;
  };
  function list() {
    pageList.replaceChildren(...[...byPage.keys()].map((n) =>
      el("li", {}, el("button", { type: "button", "data-page": n, "aria-current": n === at ? "true" : null, click: () => openAt(n) },
        name(short(pages[n].uri)), el("small", {}, progressOf(n))))));
  }
  function openAt(n) {
    at = n;
    for (const button of pageList.querySelectorAll("button"))
      button.dataset.page === String(n) ? button.setAttribute("aria-current", "true") : button.removeAttribute("aria-current");
    draw();
  }

  let lines = new Map();
  const row = (item) => segmentElement(item, null, lines, reviewing.attributes(item), current, colorBy());
  const redraw = (item) => {
    reviewing.element(item)?.replaceWith(row(item));
    const small = pageList.querySelector(`[data-page="${item.page}"] small`);
    if (small) small.textContent = progressOf(item.page);
  };
  const reveal = (item) => {
    if (item.page !== at) openAt(item.page);
    sheet.extendTo(item);
    return reviewing.element(item);
  };
  const reviewing = makeReviewer("pages", { reveal, redraw, search, actions: SEGMENT_ACTIONS });

  function draw() {
    const page = pages[at];
    const items = byPage.get(at) ?? [];
    lines = new Map(page.rows.map((row) => [row[0], row[1]]));
    const body = el("ol", { class: "segments", "aria-label": "Segments" });
    body.append(el("li", { class: "row head", "aria-hidden": "true" }, el("span", { class: "line" }, "line"), el("span", {}, "role"), el("span", {}, "original"), el("span", {}, "kept")));
    let drawn = 0;
    const more = el("button", { type: "button", class: "plain", click: () => extend() });
    const extend = (to = drawn + BATCH) => {
      body.append(...items.slice(drawn, to).map(row));
      drawn = Math.max(drawn, Math.min(to, items.length));
      more.hidden = drawn >= items.length;
      more.textContent = `Show ${count(Math.min(BATCH, items.length - drawn))} more of ${count(items.length - drawn)}`;
    };
    sheet.extendTo = (item) => {
      const place = items.indexOf(item);
      if (place >= drawn) extend(place + BATCH);
    };
    extend();
    const used = colorBy() === "role"
      ? data.roles.filter((role) => page.rows.some((row) => row[3] === role)).map((role) => [role, roleColor(role)])
      : [...new Set(page.rows.map((row) => row[2]))].map((lang) => [langName(lang), langColor(lang)]);
    sheet.replaceChildren(
      el("h3", {}, text("span", null, page.title || short(page.uri))),
      el("p", { class: "note" }, name(page.uri), page.url ? [" · ", name(page.url)] : []),
      el("p", { class: "note" }, `${count(page.kept)} of ${plural(page.segments, "segment")} kept. `,
        page.rows.length < page.segments ? `Only the first ${count(page.rows.length)} segments are shown, because the page is very long. ` : "",
        el("button", { type: "button", class: "link", click: () => copyText(`${location.href.split("#")[0]}#page=${page.doc_id}`, "Link copied") }, "Copy link to this page")),
      legend(used),
      items.length ? body : el("p", { class: "none" }, "No segments match."), more);
  }

  goToSegment = (item) => {
    if (!reviewing.has(item)) {
      clear();
      update();
    }
    reviewing.go(item);
    reviewing.element(item)?.scrollIntoView({ block: "center" });
  };
  openers.page = (parts) => {
    const n = pageOf.get(parts.get("page"));
    const item = parts.has("segment") ? itemByKey.get(segmentKey(parts.get("page"), Number(parts.get("segment")))) : null;
    if (n === undefined || (parts.has("segment") && item?.page !== n)) return false;
    showView("pages");
    if (item) goToSegment(item);
    else {
      clear();
      at = n;
      update();
      setHash(location.hash);
    }
    return true;
  };

  view.append(el("h2", {}, "Pages"),
    el("p", { class: "about-it" }, sampled(pages.length, total, "pages"), "Each segment of a page, colored by role or language, next to the kept text. Press j to go from one to the next, and y or n to say whether the decision is right."),
    el("div", { class: "bar-of-tools", role: "search", "aria-label": "Segments" },
      field("Search", search, true), field("Show", show), field("Role", roles), field("Language", langs), field("Review", states), color,
      el("button", { type: "button", class: "plain", click: () => { clear(); update(); } }, "Clear"),
      copyButtons(() => reviewing.entries().map(segmentRow), "segment")),
    el("div", { class: "reader" }, el("div", { class: "shelf" }, status, pageList), sheet));
  update();
}]);

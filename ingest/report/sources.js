// The view Sources: by host or folder when there are many, and each source.

// Segments of a source or group, summed up by role (0) or language (1).
function spreadBy(entries, at) {
  const sums = new Map();
  for (const entry of entries) sums.set(entry[at], (sums.get(entry[at]) ?? 0) + entry[2]);
  return at === 0
    ? data.roles.filter((role) => sums.has(role)).map((role) => [role, sums.get(role)])
    : [...sums].sort((a, b) => b[1] - a[1]);
}

if (data.sources?.total) views.push(["sources", "Sources", (view) => {
  const { rows, total, rest, groups } = data.sources;
  const detail = el("div", { tabindex: "-1" });
  const open = (row, title) => {
    detail.replaceChildren(el("h2", {}, name(title)), matrix(row[6], "Segments by role and language"));
    detail.focus({ preventScroll: true });
    detail.scrollIntoView({ block: "nearest" });
  };
  const columns = [["Source", (r) => r[0], ""], ["Pages", (r) => r[1], "n optional"], ["In error", (r) => r[2], "n optional"], ["Segments", (r) => r[4], "n"], ["Kept", (r) => r[5], "n"]];
  let by = 3, down = true;
  const expanded = new Set(); // groups
  const list = el("div", { class: "listed" });
  const search = el("input", { type: "search", autocomplete: "off", input: debounce(() => update()) });
  const grouped = el("input", { type: "checkbox", checked: groups.length > 0, change: () => update() });
  const status = el("p", { class: "note", role: "status" });
  const headers = () => [
    ...columns.map(([label, , shape], at) =>
      el("th", { scope: "col", class: shape, "aria-sort": by === at ? (down ? "descending" : "ascending") : "none" },
        el("button", { type: "button", click: () => { down = by === at ? !down : at > 0; by = at; update(); list.querySelectorAll("thead button")[at]?.focus({ preventScroll: true }); } }, `${label}${by === at ? (down ? " ↓" : " ↑") : ""}`))),
    head("Languages"), head("Roles", false, { class: "optional" })];
  const cells = (row) => [
    cell(count(row[1]), { class: "optional" }), cell(count(row[2]), { class: "optional" }), cell(count(row[4])), cell(count(row[5])),
    el("td", {}, stacked(spreadBy(row[6], 1), langColor, langName)), el("td", { class: "optional" }, stacked(spreadBy(row[6], 0), roleColor, String))];
  const sourceLine = (row, inside) => {
    const label = inside && row[0].startsWith(inside[0]) ? row[0].slice(inside[0].length) || row[0] : short(row[0]);
    return el("tr", { class: inside ? "member" : null },
      el("th", { scope: "row" }, row[6].length ? el("button", { type: "button", class: "link", click: () => open(row, short(row[0])) }, name(label)) : name(label)), cells(row));
  };
  const groupLine = ({ group, number, members }) => {
    const isOpen = expanded.has(number);
    const toggle = () => {
      isOpen ? expanded.delete(number) : expanded.add(number);
      redraw();
      list.querySelector(`[data-group="${number}"]`)?.focus({ preventScroll: true });
    };
    const unlisted = group[7] - rows.filter((row) => row[7] === number).length;
    return [
      el("tr", { class: "group" },
        el("th", { scope: "row" }, el("button", { type: "button", class: "opener", "data-group": number, "aria-expanded": String(isOpen), click: toggle }, name(short(group[0])), el("small", {}, ` ${plural(group[7], "source")}`))), cells(group)),
      ...(isOpen ? members.map((row) => sourceLine(row, group)) : []),
      isOpen && unlisted ? el("tr", { class: "member" }, el("th", { scope: "row", colspan: 7, class: "note" }, `${plural(unlisted, "smaller source")} not listed`)) : null];
  };
  const show = paged(list, 50, (batch) => [table("Sources and their segments", headers(), batch.map((row) => (Array.isArray(row) ? sourceLine(row) : groupLine(row))).flat().filter(Boolean), { quiet: true })], "sources");
  let redraw = () => {};
  const sorted = (all, of) => {
    const key = columns[by][1];
    return all.sort((a, b) => (key(of(a)) < key(of(b)) ? -1 : key(of(a)) > key(of(b)) ? 1 : 0) * (down ? -1 : 1));
  };
  const update = () => {
    const textQuery = query(search.value);
    const matches = sorted(rows.filter((row) => !textQuery || textQuery.matches(`${row[0]} ${groups[row[7]]?.[0] ?? ""}`)), (row) => row);
    status.textContent = textQuery ? `${count(matches.length)} of ${plural(rows.length, "source")}` : plural(rows.length, "source");
    let shown = matches;
    if (grouped.checked && groups.length) {
      const members = Map.groupBy(matches, (row) => row[7]);
      shown = groups.map((group, number) => ({ group, number, members: members.get(number) ?? [] }));
      if (textQuery) shown = shown.filter(({ members }) => members.length);
      shown = sorted(shown, ({ group }) => group);
      status.textContent += `, in ${plural(shown.length, "group")}`;
    }
    redraw = () => show.again();
    show(shown);
  };
  view.append(el("h2", {}, "Sources"),
    el("p", { class: "about-it" }, COMMON_FOLDER ? ["All names start with ", name(COMMON_FOLDER), ". "] : "",
      rows.length < total ? `These are the ${count(rows.length)} of ${count(total)} sources with the most segments. The others have ${plural(rest[0], "page")}, ${count(rest[1])} of them in error, and ${plural(rest[2], "segment")}, ${count(rest[3])} of them kept.` : ""),
    legend(LANGS.filter((l) => LANG_COLORS.has(l)).map((l) => [langName(l), langColor(l)]).concat([["other or none", "var(--lang-other)"]])),
    legend(data.roles.map((role) => [role, roleColor(role)])),
    el("div", { class: "bar-of-tools" }, field("Find a source", search, true),
      groups.length ? el("label", { class: "check" }, grouped, "by host or folder") : null, status), list, detail);
  update();
}]);

// Copy what is shown, as TSV or JSON.

async function copyText(words, done) {
  try {
    await navigator.clipboard.writeText(words);
    say(done, true);
  } catch {
    // viewers without access to the clipboard may still copy a selection
    const area = el("textarea", { class: "sr", readonly: true, "aria-hidden": "true", tabindex: "-1" });
    area.value = words;
    document.body.append(area);
    const focused = document.activeElement;
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    focused?.focus({ preventScroll: true });
    say(copied ? done : "This viewer does not let a page copy", true);
  }
}

// A cell of TSV: one line, and nothing that a spreadsheet takes for a formula.
function tsvCell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return String(value);
  const line = value.replace(/[\t\r\n\v\f\u0085\u2028\u2029]+/g, " ").replace(/[\u0000-\u001f\u007f]/g, "");
  return /^\s*[=+@-]/.test(line) ? `'${line}` : line;
}

const asTsv = (rows) => {
  const columns = Object.keys(rows[0] ?? {});
  return [columns, ...rows.map((row) => columns.map((column) => row[column]))]
    .map((cells) => `${cells.map(tsvCell).join("\t")}\n`).join("");
};

// Two buttons that copy the rows that `rows` returns.
function copyButtons(rows, what) {
  const copy = (form, write) => () => {
    const all = rows();
    copyText(write(all), `${plural(all.length, what)} copied as ${form}`);
  };
  return el("span", { class: "copies" },
    el("button", { type: "button", class: "plain", title: "Tabs and line breaks become spaces. A text that a spreadsheet would take for a formula gets an apostrophe.", click: copy("TSV", asTsv) }, "Copy as TSV"),
    el("button", { type: "button", class: "plain", click: copy("JSON", (all) => JSON.stringify(all, null, 1)) }, "Copy as JSON"));
}

function segmentRow(item) {
  const { role, starts_article: starts } = store.get(item);
  const keep = store.keeps(item);
  return {
    doc_id: item.doc_id, uri: item.uri, segment: item.segment, line: item.line, lang: item.lang,
    role: role ?? item.role, role_score: item.score, keep, reason: keep ? null : item.why ?? "rejected by hand",
    starts_article: starts ?? item.starts, text: item.text,
  };
}

function pairRow(item) {
  const { columns, values, scores } = data.pairs;
  const at = item.at;
  const { new_source_text: source, new_target_text: target } = store.get(item);
  const keep = store.keeps(item);
  return {
    pair_id: item.pair_id, source_lang: columns.source_lang[at], target_lang: columns.target_lang[at],
    source_text: source ?? item.source_text, target_text: target ?? item.target_text, keep,
    reason: keep ? null : columns.why?.[at] ?? "rejected by hand",
    ...Object.fromEntries(scores.map(({ name }) => [name, values[name][at]])),
  };
}

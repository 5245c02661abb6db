// Long lists: search, and draw one page at a time.

// Arabic letters that people use interchangeably when typing, and marks that they leave out.
const ALIKE = ["اأإآٱ", "يىئی", "هةہ", "كک", "وؤ"];
const MARKS = "[\\u0640\\u064b-\\u065f\\u0670\\u200b-\\u200f\\u202a-\\u202e\\u2066-\\u2069]*";

// A regular expression for one typed word that ignores marks in the text.
function pattern(word) {
  const letters = [...word].map((letter) => {
    const group = ALIKE.find((letters) => letters.includes(letter));
    return group ? `[${group}]` : letter.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  });
  return letters.join(MARKS);
}

// Parse what was typed: a text matches if it has every word. Null if nothing was typed.
function query(typed) {
  const words = typed.normalize("NFKC").replace(/[\u0640\u064b-\u065f\u0670]/g, "").split(/\s+/).filter(Boolean);
  if (!words.length) return null;
  const patterns = words.map((word) => new RegExp(pattern(word), "iu"));
  return { matches: (text) => patterns.every((pattern) => pattern.test(text)), all: new RegExp(words.map(pattern).join("|"), "giu") };
}

// A text with the matches of a search highlighted.
function highlight(words, search) {
  if (!search) return [words];
  const parts = [];
  let at = 0;
  for (const hit of words.matchAll(search.all)) {
    if (!hit[0]) continue;
    parts.push(words.slice(at, hit.index), el("mark", {}, hit[0]));
    at = hit.index + hit[0].length;
  }
  return [...parts, words.slice(at)];
}

// Delay a call until typing pauses.
function debounce(call, wait = 120) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(call, wait);
  };
}

// A list that draws `size` entries at a time. Returns a function that shows other entries.
function paged(container, size, draw, what) {
  let entries = [];
  let first = 0;
  const status = () => el("span", {}, entries.length ? `${count(first + 1)}–${count(Math.min(first + size, entries.length))} of ${count(entries.length)}` : "");
  const go = (to, button) => {
    first = to;
    render();
    container.scrollIntoView({ block: "start" });
    container.querySelectorAll(`[data-go="${button}"]:not(:disabled)`)[0]?.focus({ preventScroll: true });
  };
  const pager = () =>
    el("nav", { class: "pager", "aria-label": `Pages of ${what}` }, status(),
      el("span", {},
        el("button", { type: "button", "data-go": "back", disabled: first === 0, click: () => go(first - size, "back") }, "Previous"),
        el("button", { type: "button", "data-go": "on", disabled: first + size >= entries.length, click: () => go(first + size, "on") }, "Next")));
  function render() {
    const drawn = draw(entries.slice(first, first + size));
    const turns = entries.length > size;
    container.replaceChildren(...drawn, ...(turns ? [pager()] : []));
  }
  const show = (newEntries) => {
    entries = newEntries;
    first = 0;
    render();
  };
  show.again = render;
  // Draw the part of the list that has an entry, unless it is drawn.
  show.reveal = (entry) => {
    const at = entries.indexOf(entry);
    if (at < 0 || (at >= first && at < first + size)) return;
    first = at - (at % size);
    render();
  };
  return show;
}

let controls = 0; // for unique ids
function field(label, control, wide = false) {
  control.id ||= `field-${++controls}`;
  return el("div", { class: `field ${wide ? "wide" : ""}` }, el("label", { for: control.id }, label), control);
}
const select = (options, changed) =>
  el("select", { change: changed }, options.map(([value, label]) => el("option", { value }, label)));
function choice(title, options, changed) {
  const group = `choice-${++controls}`;
  return el("fieldset", { change: changed }, el("legend", {}, title),
    options.map(([value, label], at) =>
      el("label", {}, el("input", { type: "radio", name: group, value, checked: at === 0 }), label)));
}

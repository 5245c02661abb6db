// Long lists: searched, and a page of them drawn at a time.

// Letters that a person who types Arabic does not tell apart, and marks that are not typed.
const ALIKE = ["اأإآٱ", "يىئی", "هةہ", "كک", "وؤ"];
const MARKS = "[\\u0640\\u064b-\\u065f\\u0670\\u200b-\\u200f\\u202a-\\u202e\\u2066-\\u2069]*";

// A regular expression for one word as typed, whatever its marks in the text.
function pattern(word) {
  const letters = [...word].map((letter) => {
    const group = ALIKE.find((some) => some.includes(letter));
    return group ? `[${group}]` : letter.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  });
  return letters.join(MARKS);
}

// What was typed, ready to look for: every word must be there; null where nothing was typed.
function query(typed) {
  const words = typed.normalize("NFKC").replace(/[\u0640\u064b-\u065f\u0670]/g, "").split(/\s+/).filter(Boolean);
  if (!words.length) return null;
  const each = words.map((word) => new RegExp(pattern(word), "iu"));
  return { found: (words_) => each.every((one) => one.test(words_)), all: new RegExp(words.map(pattern).join("|"), "giu") };
}

// A text with what was found in it marked.
function marked(words, asked) {
  if (!asked) return [words];
  const parts = [];
  let at = 0;
  for (const hit of words.matchAll(asked.all)) {
    if (!hit[0]) continue;
    parts.push(words.slice(at, hit.index), el("mark", {}, hit[0]));
    at = hit.index + hit[0].length;
  }
  return [...parts, words.slice(at)];
}

// Calls once typing rests.
function rested(call, wait = 120) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(call, wait);
  };
}

// A list of which `size` entries are drawn; `show` begins again with other entries.
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
  return (some) => {
    entries = some;
    first = 0;
    render();
  };
}

let made = 0;
function field(label, control, wide = false) {
  control.id ||= `field-${++made}`;
  return el("div", { class: `field ${wide ? "wide" : ""}` }, el("label", { for: control.id }, label), control);
}
const select = (options, changed) =>
  el("select", { change: changed }, options.map(([given, label]) => el("option", { value: given }, label)));
function choice(title, options, changed) {
  const group = `choice-${++made}`;
  return el("fieldset", { change: changed }, el("legend", {}, title),
    options.map(([given, label], at) =>
      el("label", {}, el("input", { type: "radio", name: group, value: given, checked: at === 0 }), label)));
}

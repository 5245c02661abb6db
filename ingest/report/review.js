// Reviewing: the bar at the bottom, its keys, and the item that they act on.

// Say something to people who see it, and to those who only hear it.
const spoken = el("p", { class: "sr", role: "status", "aria-live": "polite", id: "spoken" });
const toast = el("p", { class: "toast", "aria-hidden": "true", hidden: true });
let toastTimer = 0;
function say(words, visible = false) {
  spoken.textContent = words;
  if (!visible) return;
  toast.textContent = words;
  toast.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (toast.hidden = true), 4000);
}

// The items of a view, and the current one. `reveal` draws an item and returns its element;
// `redraw` draws it again after a change.
const reviewers = {};
function makeReviewer(view, { reveal, redraw, search = null, actions, isDone = store.isReviewed, words = describe, links = true }) {
  let entries = [];
  let places = new Map();
  let current = null;
  const mark = (element, on) => {
    if (!element) return;
    if (on) element.setAttribute("aria-current", "true");
    else element.removeAttribute("aria-current");
  };
  const reviewer = {
    actions, search, isDone, words, links,
    item: () => current,
    entries: () => entries,
    has: (item) => places.has(item),
    show(newEntries) {
      entries = newEntries;
      places = new Map(entries.map((item, at) => [item, at]));
      if (current && !places.has(current)) current = null;
      drawBar();
    },
    go(item, focus = true) {
      if (current) mark(reviewer.element(current), false);
      current = item;
      const element = reveal(item);
      mark(element, true);
      if (element && focus) {
        element.focus({ preventScroll: true });
        element.scrollIntoView({ block: "nearest" });
      }
      if (links && item.key) setHash(linkTo(item), 150);
      drawBar();
    },
    move(step) {
      const at = current ? places.get(current) + step : step > 0 ? 0 : entries.length - 1;
      if (at >= 0 && at < entries.length) reviewer.go(entries[at]);
      else say(entries.length ? (step > 0 ? "This is the last one" : "This is the first one") : "Nothing is shown", true);
    },
    element: (item) => document.querySelector(`#view-${view} [data-key="${CSS.escape(item.place)}"]`),
    find: (key) => entries.find((item) => item.key === key),
    changed(items) {
      for (const item of items) {
        redraw(item);
        if (item === current) mark(reviewer.element(item), true);
      }
    },
    // Elements of items take the focus, and become current when they are clicked.
    attributes: (item) => ({
      "data-key": item.place, tabindex: "-1", "aria-current": item === current ? "true" : null,
      click: (event) => !event.target.closest("button, a, input, textarea, summary") && !String(getSelection()) && reviewer.go(item),
    }),
  };
  reviewers[view] = reviewer;
  return reviewer;
}
const reviewer = () => reviewers[activeView];

// Change the current item, say what it is now, and go on if `on`.
function decide(fields, on = false) {
  const active = reviewer();
  const item = active.item();
  store.change(item, typeof fields === "function" ? fields(item, store.get(item)) : fields);
  say(`${describe(item)}. ${progressWords()}`);
  if (on && active.entries().at(-1) !== item) active.move(1);
  else if (on) say(`${describe(item)}. This was the last one. ${progressWords()}`, true);
  else {
    active.element(item)?.focus({ preventScroll: true });
    active.element(item)?.scrollIntoView({ block: "nearest" });
  }
}

// What was decided about an item, in words.
function decisions(item) {
  const { verdict, keep, role, starts_article: starts, new_source_text: source, new_target_text: target } = store.get(item);
  const words = [];
  if (item.kind === "pair") {
    if (verdict === "right") words.push("right");
    if (keep !== undefined) words.push(keep ? "kept by hand" : "rejected");
    else if (verdict === "wrong") words.push("rejected");
    if (source !== undefined || target !== undefined) words.push("edited");
    return words;
  }
  if (verdict === "right") words.push("right");
  if (verdict === "wrong" || (keep !== undefined && keep !== item.keep)) words.push(`wrong: ${store.keeps(item) ? "keep" : "drop"} it`);
  if (role) words.push(`role: ${role}`);
  if (starts !== undefined) words.push(starts ? "starts an article" : "continues the article");
  return words;
}
const describe = (item) => decisions(item).join(", ") || "not reviewed";

const stateClass = (item) => {
  const { verdict } = store.get(item);
  return !store.isReviewed(item) ? "" : `reviewed ${verdict === "wrong" ? "was-wrong" : store.isCorrected(item) ? "was-corrected" : "was-right"}`;
};
// The decision, as a mark on the item.
const stateMark = (item) => {
  const words = decisions(item);
  if (!words.length) return null;
  const sign = store.get(item).verdict === "wrong" ? "✗" : store.isCorrected(item) ? "✎" : "✓";
  return el("span", { class: "state" }, el("span", { "aria-hidden": "true" }, `${sign} `), words.join(", "));
};

const MOVES = [
  { keys: ["j", "ArrowDown"], label: "Next", meaning: "next", free: true, run: () => reviewer().move(1) },
  { keys: ["k", "ArrowUp"], label: "Back", meaning: "previous", free: true, run: () => reviewer().move(-1) },
];
const COMMON = [
  { keys: ["u"], label: "Undo", meaning: "take the last decision back", free: true, run: undo, enabled: store.canUndo },
  { keys: ["l"], label: "Link", meaning: "copy a link to this one", needs: "links", run: () => copyLink(reviewer().item()) },
  { keys: ["/"], label: "Search", meaning: "search", free: true, hidden: true, needs: "search", run: () => reviewer().search.focus() },
  { keys: ["s"], label: "Save", meaning: "save the corrections as a file", free: true, hidden: true, run: saveCorrections },
  { keys: ["?"], label: "Keys", meaning: "show the keys", free: true, run: () => showHelp(allActions()) },
];
const SEGMENT_ACTIONS = [
  { keys: ["y"], label: "Right", meaning: "the decision is right", run: () => decide({ verdict: "right", keep: null }, true) },
  { keys: ["n"], label: "Wrong", meaning: "the decision is wrong: keep instead of drop, or drop instead of keep", run: () => decide((item) => ({ verdict: "wrong", keep: !item.keep }), true) },
  { keys: ["x"], label: "Keep/drop", meaning: "keep it, or drop it", run: () => decide((item) => (store.keeps(item) === item.keep ? { verdict: "wrong", keep: !item.keep } : { verdict: "right", keep: null })) },
  { keys: ["r"], label: "Role", meaning: "choose the role", run: () => chooseRole(reviewer().item(), (role) => decide((item) => ({ role: role === item.role ? null : role }))) },
  { keys: ["b"], label: "Boundary", meaning: "a new article starts here, or does not", run: () => decide((item, now) => ({ starts_article: now.starts_article === undefined ? !item.starts : null })) },
];
const PAIR_ACTIONS = [
  { keys: ["y"], label: "Right", meaning: "the two sides say the same", run: () => decide({ verdict: "right" }, true) },
  { keys: ["n"], label: "Wrong", meaning: "reject the pair", run: () => decide({ verdict: "wrong", keep: null }, true) },
  { keys: ["x"], label: "Keep/drop", meaning: "keep it whatever the filter says, or drop it", run: () => decide((item, now) => ({ keep: now.keep === undefined ? !store.keeps(item) : null })) },
  { keys: ["e"], label: "Edit", meaning: "edit the texts; Ctrl + Enter keeps the edit, Escape leaves", run: () => editPair(reviewer().item()) },
];
const allActions = () => {
  const { actions, search, links } = reviewer();
  return [...MOVES, ...actions, ...COMMON].filter(({ needs }) => !needs || (needs === "search" ? search : links));
};

function undo() {
  const item = store.undo();
  if (!item) return say("There is nothing to undo", true);
  const active = reviewer();
  const shown = active.find(item.key);
  if (shown) active.go(shown);
  say(`Undone: now ${active.words(shown ?? item)}. ${progressWords()}`, true);
}

function act(action) {
  const active = reviewer();
  const item = active.item();
  if (action.free) return action.run();
  if (!item) return active.move(1);
  if (!item.key) return say("This pair has no pair_id, so it cannot be corrected", true);
  action.run();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !reviewer()) return;
  if (event.target.closest("input, textarea, select, dialog, [role=tablist]")) return;
  const action = allActions().find(({ keys }) => keys.includes(event.key));
  if (!action) return;
  event.preventDefault();
  act(action);
});

store.onChange((items) => {
  for (const one of Object.values(reviewers)) one.changed(items);
  drawBar();
});

// The bar at the bottom: progress, a button for each key, and the file of corrections.

let activeView = "";
const bar = el("aside", { class: "review", "aria-label": "Review", hidden: true });

function saveCorrections() {
  if (!store.size()) return say("There are no corrections yet", true);
  const url = URL.createObjectURL(new Blob([store.lines()], { type: "application/jsonl" }));
  const link = el("a", { href: url, download: "corrections.jsonl", class: "sr" });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  store.markSaved();
  say(`${plural(store.size(), "correction")} saved as corrections.jsonl`, true);
}

const chooser = el("input", { type: "file", accept: ".jsonl,.json,.txt", class: "sr", tabindex: "-1", "aria-label": "File of corrections", change: loadCorrections });
async function loadCorrections() {
  const [file] = chooser.files;
  chooser.value = "";
  if (!file) return;
  const { applied, elsewhere, damaged } = store.load(await file.text());
  const parts = [`${plural(applied, "correction")} loaded`];
  if (elsewhere) parts.push(`${count(elsewhere)} about other things or other texts: kept for saving`);
  if (damaged.length) parts.push(`${plural(damaged.length, "damaged line")} left out (line ${damaged.slice(0, 5).join(", ")}${damaged.length > 5 ? ", …" : ""})`);
  drawBar();
  say(parts.join("; "), true);
}

function progressWords() {
  const entries = reviewer().entries();
  return `${count(entries.filter(reviewer().isDone).length)} of ${count(entries.length)} reviewed`;
}

const saveLabel = el("span", {});
const progress = {
  words: el("span", { class: "so-far" }),
  meter: el("span", { class: "meter", "aria-hidden": "true" }, el("i", {})),
};
const buttons = el("div", { class: "actions" });
bar.append(
  el("div", { class: "state-of-review" }, progress.meter, progress.words,
    el("span", { class: "file" },
      el("button", { type: "button", class: "plain primary", id: "save", click: saveCorrections }, saveLabel),
      el("button", { type: "button", class: "plain", click: () => chooser.click() }, "Load"), chooser)),
  buttons);
document.body.append(bar, spoken, toast);

let barOf = null; // the view whose buttons are in the bar
let waiting = false;
function drawBar() {
  if (waiting) return;
  waiting = true;
  queueMicrotask(() => {
    waiting = false;
    drawBarNow();
  });
}
function drawBarNow() {
  const active = reviewer();
  bar.hidden = !active;
  document.body.classList.toggle("reviewing", Boolean(active));
  if (!active) return;
  if (barOf !== activeView) {
    barOf = activeView;
    buttons.replaceChildren(...allActions().filter((action) => !action.hidden).map((action) =>
      Object.assign(el("button", { type: "button", class: "plain", title: action.meaning, "data-key-of": action.keys[0], click: () => act(action) },
        `${action.label} `, el("kbd", { "aria-hidden": "true" }, action.keys[0])), { action })));
  }
  for (const button of buttons.children)
    button.disabled = button.action.enabled ? !button.action.enabled() : !button.action.free && !active.item();
  const entries = active.entries();
  const done = entries.filter(active.isDone).length;
  progress.words.textContent = progressWords();
  progress.meter.firstChild.style.setProperty("--w", `${entries.length ? (100 * done) / entries.length : 0}%`);
  const [size, noun] = [store.size(), store.size() === 1 ? "correction" : "corrections"];
  saveLabel.replaceChildren(size ? `Save ${count(size)}` : "Save", el("span", { class: "more-words" }, ` ${noun}`));
}

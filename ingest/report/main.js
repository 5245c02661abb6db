// Tabs, theme, printing, and links to a view.

const ORDER = ["overview", "audit", "sources", "dropped", "scores", "pages", "pairs", "unmatched", "about"];
views.sort((a, b) => ORDER.indexOf(a[0]) - ORDER.indexOf(b[0]));
const panels = new Map();
const drawn = new Set();

const firstView = data.audit?.order.length ? "audit" : views[0][0];

function drawView(id) {
  if (drawn.has(id)) return;
  drawn.add(id);
  views.find(([key]) => key === id)[2](panels.get(id));
}

function showView(id, top = false) {
  for (const [key] of views) {
    const tab = document.getElementById(`tab-${key}`);
    tab.setAttribute("aria-selected", String(key === id));
    tab.tabIndex = key === id ? 0 : -1;
    panels.get(key).hidden = key !== id;
  }
  activeView = id;
  toast.hidden = true;
  drawView(id);
  drawBar();
  document.getElementById(`tab-${id}`).scrollIntoView({ block: "nearest", inline: "nearest" });
  if (top) window.scrollTo(0, 0);
  setHash(`#${id}`);
}

const tabs = document.getElementById("tabs");
for (const [id, label] of views) {
  tabs.append(el("button", { type: "button", role: "tab", id: `tab-${id}`, "aria-controls": `view-${id}`, click: () => showView(id, true) }, label));
  const panel = el("section", { id: `view-${id}`, role: "tabpanel", "aria-labelledby": `tab-${id}`, hidden: true });
  panels.set(id, panel);
  document.getElementById("views").append(panel);
}
tabs.addEventListener("keydown", (event) => {
  const all = [...tabs.children];
  const at = all.indexOf(document.activeElement);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
  if (to === undefined || at < 0) return;
  event.preventDefault();
  const tab = all[(to + all.length) % all.length];
  tab.click();
  tab.focus();
});
// Print all views, and the list of every reason.
let closed = [];
window.addEventListener("beforeprint", () => {
  for (const [id] of views) drawView(id);
  closed = [...document.querySelectorAll(".reason:not([open])")];
  for (const reason of closed) {
    reason.open = true;
    reason.fill();
  }
});
window.addEventListener("afterprint", () => {
  for (const reason of closed) reason.open = false;
});
window.addEventListener("hashchange", openHash);

const theme = document.getElementById("theme");
const system = window.matchMedia("(prefers-color-scheme: dark)");
const THEMES = { "": "Theme: system", light: "Theme: light", dark: "Theme: dark" };
function applyTheme(which) {
  if (which) document.documentElement.dataset.theme = which;
  else delete document.documentElement.dataset.theme;
  theme.textContent = THEMES[which ?? ""] ?? THEMES[""];
  storage.set("ingest-theme", which);
}
theme.addEventListener("click", () => {
  const now = document.documentElement.dataset.theme ?? "";
  const [first, second] = system.matches ? ["light", "dark"] : ["dark", "light"];
  applyTheme(now === "" ? first : now === first ? second : "");
});
const savedTheme = storage.get("ingest-theme") ?? "";
applyTheme(savedTheme in THEMES ? savedTheme : "");

document.getElementById("name").append(name(data.name || "run"));
document.getElementById("colophon").append(
  `Made by ingest ${data.run.version ?? ""}. This page works offline and sends nothing.`);
openHash();

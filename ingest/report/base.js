// Helpers for all views. Texts come from untrusted pages: they only go into text nodes and
// attributes, and are never parsed as HTML.
const data = JSON.parse(document.getElementById("data").textContent);

const RIGHT_TO_LEFT = new Set("ar arc ckb dv fa ha-Arab he ks ku-Arab ps sd ug ur yi".split(" "));
const numbers = new Intl.NumberFormat("en");
const count = (n) => numbers.format(n);
const plural = (n, noun) => `${count(n)} ${n === 1 ? noun : noun + "s"}`;
const share = (part, whole) => {
  if (!whole) return "";
  const percent = (100 * part) / whole;
  if (percent > 0 && percent < 1) return "< 1 %";
  if (percent > 99 && percent < 100) return "> 99 %";
  return `${Math.round(percent)} %`;
};
const decimal = (x, digits = 2) => (x === null || x === undefined ? "–" : x.toFixed(digits).replace("-", "−"));
const value = (x) => {
  if (x === null || x === undefined) return "–";
  return Number.isInteger(x) ? count(x) : Math.abs(x) >= 100 ? count(Math.round(x)) : x.toFixed(2);
};

// Create an element. Attributes that are null or false are left out; functions are event listeners.
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

// Direction and language of a text, as attributes.
function reading(lang) {
  if (!lang || lang === "zxx" || lang === "und") return { dir: "auto" };
  return { dir: RIGHT_TO_LEFT.has(lang) ? "rtl" : "ltr", lang };
}

const text = (tag, lang, words, attributes = {}) =>
  el(tag, { ...attributes, ...reading(lang), class: `text ${attributes.class ?? ""}` }, words);

const name = (words, attributes = {}) => el("bdi", { class: "name", ...attributes }, words);

// The folder that all names have in common; it is shown once.
function commonFolder(names) {
  if (names.length < 2) return names.length ? names[0].slice(0, names[0].lastIndexOf("/") + 1) : "";
  let shared = names[0];
  for (const name of names) {
    let at = 0;
    while (at < shared.length && shared[at] === name[at]) at++;
    shared = shared.slice(0, at);
  }
  return shared.slice(0, shared.lastIndexOf("/") + 1);
}
const COMMON_FOLDER = commonFolder([
  ...(data.sources ? data.sources.rows.map((row) => row[0]) : []),
  ...(data.views ? data.views.pages.map((page) => page.uri) : []),
]);
const short = (uri) => (uri.startsWith(COMMON_FOLDER) ? uri.slice(COMMON_FOLDER.length) : uri) || uri;

// Languages by number of segments; the first few have their own colors.
const LANGS = (() => {
  const total = new Map();
  for (const { lang, segments } of data.segments?.spread ?? [])
    total.set(lang, (total.get(lang) ?? 0) + segments);
  return [...total].sort((a, b) => b[1] - a[1]).map(([lang]) => lang);
})();
const LANG_COLORS = (() => {
  const colors = new Map([["ar", "var(--lang-ar)"], ["en", "var(--lang-en)"]]);
  const others = LANGS.filter((lang) => !colors.has(lang) && lang !== "zxx" && lang !== "und");
  others.slice(0, 4).forEach((lang, at) => colors.set(lang, `var(--lang-${at + 2})`));
  return colors;
})();
const langColor = (lang) => LANG_COLORS.get(lang) ?? "var(--lang-other)";
const roleColor = (role) => (data.roles.includes(role) ? `var(--${role})` : "var(--lang-other)");

const LANG_NAMES = new Intl.DisplayNames(["en"], { type: "language", fallback: "code" });
function langName(lang) {
  if (lang === "zxx") return "no language";
  if (lang === "und") return "undetermined";
  try {
    return LANG_NAMES.of(lang);
  } catch {
    return lang;
  }
}

const legend = (entries) =>
  el("ul", { class: "legend" }, entries.map(([label, color]) =>
    el("li", {}, el("span", { class: "swatch", "--c": color }), label)));

const sampled = (shown, total, what) =>
  shown < total
    ? `Shown: a random sample of ${count(shown)} of ${count(total)} ${what} (seed ${data.seed}). `
    : "";

// The views of the report: [id, title, draw]. Each is drawn when it is first opened.
const views = [];

// Some viewers of local files have no storage; then nothing is remembered.
const storage = {
  get(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(key, value);
      return true;
    } catch {
      return false;
    }
  },
};

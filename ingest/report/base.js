// What all parts use. Text comes from pages that nobody vouches for: it is only ever put into text
// nodes and attributes, never parsed as HTML.
const data = JSON.parse(document.getElementById("data").textContent);

const RIGHT_TO_LEFT = new Set("ar arc ckb dv fa ha-Arab he ks ku-Arab ps sd ug ur yi".split(" "));
const numbers = new Intl.NumberFormat("en");
const count = (n) => numbers.format(n);
const many = (n, one, more = one + "s") => `${count(n)} ${n === 1 ? one : more}`;
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

// An element; attributes that are null or false are left out, functions listen.
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, given] of Object.entries(attributes)) {
    if (given === null || given === undefined || given === false) continue;
    if (typeof given === "function") made.addEventListener(name, given);
    else if (name.startsWith("--")) made.style.setProperty(name, given);
    else made.setAttribute(name, given === true ? "" : given);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return made;
}

// Direction and language of a text, as attributes.
function reading(lang) {
  if (!lang || lang === "zxx" || lang === "und") return { dir: "auto" };
  return { dir: RIGHT_TO_LEFT.has(lang) ? "rtl" : "ltr", lang };
}

const text = (tag, lang, words, attributes = {}) =>
  el(tag, { ...attributes, ...reading(lang), class: `text ${attributes.class ?? ""}` }, words);

const name = (words, attributes = {}) => el("bdi", { class: "name", ...attributes }, words);

// Names of sources begin alike; what they share, up to a slash, is said once.
function stem(names) {
  if (names.length < 2) return names.length ? names[0].slice(0, names[0].lastIndexOf("/") + 1) : "";
  let shared = names[0];
  for (const one of names) {
    let at = 0;
    while (at < shared.length && shared[at] === one[at]) at++;
    shared = shared.slice(0, at);
  }
  return shared.slice(0, shared.lastIndexOf("/") + 1);
}
const STEM = stem([
  ...(data.sources ? data.sources.rows.map((row) => row[0]) : []),
  ...(data.views ? data.views.pages.map((page) => page.uri) : []),
]);
const short = (uri) => (uri.startsWith(STEM) ? uri.slice(STEM.length) : uri) || uri;

// Languages in the order of their segments; the first few have colours of their own.
const LANGS = (() => {
  const total = new Map();
  for (const { lang, segments } of data.segments?.spread ?? [])
    total.set(lang, (total.get(lang) ?? 0) + segments);
  return [...total].sort((a, b) => b[1] - a[1]).map(([lang]) => lang);
})();
const LANG_COLOURS = (() => {
  const made = new Map([["ar", "var(--lang-ar)"], ["en", "var(--lang-en)"]]);
  const others = LANGS.filter((lang) => !made.has(lang) && lang !== "zxx" && lang !== "und");
  others.slice(0, 4).forEach((lang, at) => made.set(lang, `var(--lang-${at + 2})`));
  return made;
})();
const langColour = (lang) => LANG_COLOURS.get(lang) ?? "var(--lang-other)";
const roleColour = (role) => (data.roles.includes(role) ? `var(--${role})` : "var(--lang-other)");

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
  el("ul", { class: "legend" }, entries.map(([label, colour]) =>
    el("li", {}, el("span", { class: "swatch", "--c": colour }), label)));

const sampled = (shown, total, what) =>
  shown < total
    ? `Shown: ${count(shown)} of ${count(total)} ${what}, chosen at random (seed ${data.seed}). `
    : "";

// Parts of the report register here; each is drawn when it is first looked at.
const views = [];

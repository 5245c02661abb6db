// What people decided: one record for each item, written to and read from corrections.jsonl.

const store = (() => {
  const FIELDS = ["verdict", "keep", "role", "starts_article", "new_source_text", "new_target_text", "audit"];
  const NAME = `ingest-review:${data.name}:${data.run.fingerprint ?? ""}`;
  const records = new Map(); // by key
  const fromRun = new Set(); // keys that the run has corrections for
  let others = []; // lines about things that this report does not show
  let steps = []; // to undo: each is a list of [key, record before]
  const listeners = [];

  const REJECTED = "rejected by hand"; // why `ingest correct` drops a pair
  const isKept = (role) => data.kept_roles.includes(role);
  const isBoolean = (x) => typeof x === "boolean";
  const isString = (x) => typeof x === "string";
  const CHECKS = {
    verdict: (x) => x === "right" || x === "wrong", keep: isBoolean, starts_article: isBoolean,
    role: (x) => data.roles.includes(x), new_source_text: isString, new_target_text: isString, audit: isString,
  };
  function clean(fields, sha) {
    const record = { sha };
    for (const field of FIELDS) if (CHECKS[field](fields[field])) record[field] = fields[field];
    return record;
  }
  // Fields of a line that are not decisions.
  const ABOUT = { segment: ["doc_id", "uri", "segment", "text"], pair: ["pair_id", "source_text", "target_text"] };
  const DECIDES = { segment: ["verdict", "keep", "role", "starts_article"], pair: ["verdict", "keep", "new_source_text", "new_target_text"] };
  // Whether `ingest correct` would leave a line out.
  function isDamaged(line) {
    if (line?.kind === "rule") return false;
    if (keyOf(line) === null || (line.sha ?? null) !== null && !isString(line.sha)) return true;
    const known = new Set(["kind", "sha", "withdrawn", "audit", ...ABOUT[line.kind], ...DECIDES[line.kind]]);
    const decided = DECIDES[line.kind].some((field) => (line[field] ?? null) !== null);
    return Object.keys(line).some((field) => !known.has(field)) || decided === (line.withdrawn === true);
  }
  const isEmpty = (record) => !FIELDS.some((field) => field in record);

  // A correction is about the text that a person saw, before any edit.
  const concerns = (record, item) => (record.sha ?? item.sha) === item.sha;
  const keyOf = (line) => {
    if (line?.kind === "segment" && isString(line.doc_id) && Number.isInteger(line.segment)) return segmentKey(line.doc_id, line.segment);
    if (line?.kind === "pair" && isString(line.pair_id)) return pairKey(line.pair_id);
    return null;
  };

  function set(key, record) {
    if (record && !isEmpty(record)) records.set(key, record);
    else records.delete(key);
  }
  for (const item of pairItems) {
    const { new_source_text: source, new_target_text: target } = data.pairs.columns;
    const edited = clean({ new_source_text: source[item.at], new_target_text: target[item.at] }, item.sha);
    if (!item.key || isEmpty(edited)) continue;
    set(item.key, edited);
    fromRun.add(item.key);
  }
  for (const line of data.corrections ?? []) {
    const item = itemByKey.get(keyOf(line));
    if (!item || !concerns(line, item)) continue;
    set(item.key, clean(line, item.sha));
    fromRun.add(item.key);
  }

  // Only what was changed here is remembered, so that later corrections of the run apply.
  const changed = new Set();
  let remembers = storage.set(`${NAME}:test`, "1");
  try {
    const saved = JSON.parse(storage.get(NAME) ?? "{}");
    others = Array.isArray(saved.others) ? saved.others.filter(isString) : [];
    for (const [key, record] of Object.entries(saved.records ?? {})) {
      const item = itemByKey.get(key);
      if (!item || !record || !concerns(record, item)) continue;
      set(key, clean(record, record.sha));
      changed.add(key);
    }
  } catch {
    // what is stored under this name is not ours
  }
  let saved = true; // whether all changes are in a file
  let timer = 0;
  function remember() {
    clearTimeout(timer);
    timer = 0;
    const entries = [...changed].map((key) => [key, records.get(key) ?? { sha: itemByKey.get(key).sha }]);
    remembers = storage.set(NAME, JSON.stringify({ records: Object.fromEntries(entries), others }));
    warnIfNeeded();
  }
  window.addEventListener("pagehide", () => timer && remember());
  // Without storage, leaving the page would lose what is not in a file.
  const warn = (event) => event.preventDefault();
  const warnIfNeeded = () => window[!remembers && !saved ? "addEventListener" : "removeEventListener"]("beforeunload", warn);

  function apply(step) {
    const before = step.map(([key]) => [key, records.get(key)]);
    for (const [key, record] of step) {
      set(key, record);
      changed.add(key);
    }
    saved = false;
    warnIfNeeded();
    timer ||= setTimeout(remember, 300);
    for (const listener of listeners) listener(step.map(([key]) => itemByKey.get(key)));
    return before;
  }

  function line(item, record) {
    const about = item.kind === "segment"
      ? { kind: "segment", doc_id: item.doc_id, uri: item.uri, segment: item.segment, sha: record.sha, text: item.text }
      : { kind: "pair", pair_id: item.pair_id, sha: record.sha, source_text: item.source_text, target_text: item.target_text };
    for (const field of [...DECIDES[item.kind], "audit"]) about[field] = record[field] ?? null;
    if (isEmpty(record)) about.withdrawn = true;
    return JSON.stringify(about);
  }
  // A correction that the run has and that was taken back here is written as withdrawn.
  const toWrite = () => [...new Set([...records.keys(), ...[...fromRun].filter((key) => changed.has(key))])];

  return {
    get: (item) => records.get(item.key) ?? {},
    isReviewed: (item) => records.has(item.key),
    isCorrected(item) {
      const { verdict, keep, role, starts_article: starts, new_source_text: source, new_target_text: target } = records.get(item.key) ?? {};
      return verdict === "wrong" || (item.kind === "pair" && keep !== undefined) || [role, starts, source, target].some((x) => x !== undefined);
    },
    // Whether an item is kept after its correction.
    keeps(item) {
      const { verdict, keep, role, new_source_text: source, new_target_text: target } = records.get(item.key) ?? {};
      if (keep !== undefined) return keep;
      if (item.kind === "pair") {
        if (verdict === "wrong" && source === undefined && target === undefined) return false;
        return item.keep || item.why === REJECTED;
      }
      if (verdict) return verdict === "right" ? item.keep : !item.keep;
      if (role === undefined || (isKept(role) && isKept(item.role))) return item.keep;
      return isKept(role) && item.same === null;
    },
    // Change some fields of an item; null removes a field.
    change(item, fields) {
      const now = records.get(item.key);
      steps.push(apply([[item.key, clean({ ...now, ...fields }, now?.sha ?? item.sha)]]));
    },
    // Take the last change back; returns the item, or null.
    undo() {
      const step = steps.pop();
      if (!step) return null;
      apply(step);
      return itemByKey.get(step[0][0]);
    },
    canUndo: () => steps.length > 0,
    onChange: (listener) => listeners.push(listener),
    remembers: () => remembers,
    size: () => toWrite().length + others.length,
    lines() {
      const written = toWrite().map((key) => line(itemByKey.get(key), records.get(key) ?? { sha: itemByKey.get(key).sha }));
      return [...others, ...written].map((words) => `${words}\n`).join("");
    },
    markSaved() {
      saved = true;
      warnIfNeeded();
    },
    // Read the lines of a file. Returns how many apply, are about other things, and are damaged.
    load(words) {
      const step = new Map();
      const damaged = [];
      const elsewhere = [];
      words.replace(/^\ufeff/, "").split("\n").forEach((written, at) => {
        if (!written.trim()) return;
        let given = null;
        try {
          given = JSON.parse(written);
        } catch {
          // counted below
        }
        const key = keyOf(given);
        const item = itemByKey.get(key);
        if (isDamaged(given)) damaged.push(at + 1);
        else if (item && concerns(given, item)) step.set(key, clean(given, item.sha));
        else elsewhere.push(JSON.stringify(given));
      });
      const before = new Set(others);
      others = [...others, ...elsewhere.filter((words) => !before.has(words))];
      if (step.size) steps.push(apply([...step]));
      else if (elsewhere.length) remember();
      return { applied: step.size, elsewhere: elsewhere.length, damaged };
    },
  };
})();

// Segments and pairs as items: what the report shows and a person can correct.

const segmentKey = (doc, segment) => `s ${doc} ${segment}`;
const pairKey = (id) => `p ${id}`;
const pageOf = new Map((data.views?.pages ?? []).map((page, at) => [page.doc_id, at]));
const itemByKey = new Map();

// All segments of the pages shown, in order.
const segmentItems = [];
(data.views?.pages ?? []).forEach((page, at) => {
  page.first = segmentItems.length;
  let before = 0;
  for (const [segment, line, lang, role, article, score, same, why, sha, words] of page.rows) {
    const keep = why === null;
    const key = segmentKey(page.doc_id, segment);
    const item = {
      kind: "segment", key, place: key, page: at, doc_id: page.doc_id, uri: page.uri, segment, line, lang, role,
      article, score, same, why, sha, text: words, keep, starts: keep && article !== before,
    };
    if (keep) before = article;
    segmentItems.push(item);
    itemByKey.set(key, item);
  }
});

// All pairs shown. Pairs without an ID have no key: no correction can name them. The place of an
// item is its own even if several pairs have one ID.
const pairItems = Array.from({ length: data.pairs?.rows ?? 0 }, (_, at) => {
  const { columns } = data.pairs;
  const id = columns.pair_id?.[at] ?? null;
  const item = {
    kind: "pair", key: id === null ? null : pairKey(id), at, pair_id: id, sha: columns.sha?.[at],
    source_text: columns.source_text[at] ?? "", target_text: columns.target_text[at] ?? "",
    keep: columns.keep ? columns.keep[at] : true, why: columns.why?.[at] ?? null,
  };
  item.place = item.key && !itemByKey.has(item.key) ? item.key : `row ${at}`;
  if (item.place === item.key) itemByKey.set(item.key, item);
  return item;
});

// The items of an audit; those that the other views show too are the same items.
const auditItems = (data.audit?.items ?? []).map((item) => {
  const key = item.kind === "segment" ? segmentKey(item.doc_id, item.segment) : pairKey(item.pair_id);
  if (!itemByKey.has(key)) itemByKey.set(key, { ...item, key, uri: data.audit.docs[item.doc_id]?.[0] ?? "" });
  return { ...item, key, place: key };
});

const isCut = (words) => words.length > data.cut && [...words].length > data.cut;

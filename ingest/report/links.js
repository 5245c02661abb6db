// Links into the report: #pages, #page=ID&segment=12, #pair=ID.

const linkTo = (item) => {
  const parts = item.kind === "pair" ? { pair: item.pair_id } : { page: item.doc_id, segment: item.segment };
  return `#${new URLSearchParams(parts)}`;
};

let hashTimer = 0;
function setHash(hash, wait = 0) {
  clearTimeout(hashTimer);
  const write = () => {
    try {
      history.replaceState(null, "", hash);
    } catch {
      // some viewers of local files do not allow this
    }
  };
  if (wait) hashTimer = setTimeout(write, wait); // browsers limit how often it may change
  else write();
}

// Openers of links, by their first part; views add theirs. They return whether the thing is shown.
const openers = {};
function openHash() {
  clearTimeout(hashTimer);
  const hash = location.hash;
  const view = views.find(([id]) => `#${id}` === hash);
  if (view) return showView(view[0]);
  const parts = new URLSearchParams(hash.slice(1));
  const kind = ["page", "pair"].find((kind) => parts.has(kind));
  if (kind && panels.has(`${kind}s`)) {
    drawView(`${kind}s`);
    if (openers[kind](parts)) return;
  }
  showView(firstView);
  if (!kind) return;
  say(`The ${kind} of this link is not in this report. A report of a large run shows a sample.`, true);
}

const copyLink = (item) => copyText(`${location.href.split("#")[0]}${linkTo(item)}`, "Link copied");

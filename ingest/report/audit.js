// The view Audit: judge a random sample without knowing what was decided.

const AUDIT_UNITS = { segment: ["kept segments", "Kept segments that are text of an article"], pair: ["kept pairs", "Kept pairs that say the same on both sides"] };

const auditResults = (tally) => {
  const parts = [];
  for (const [unit, [what, caption]] of Object.entries(AUDIT_UNITS)) {
    const strata = tally.filter((stratum) => stratum.unit === unit);
    if (!strata.length) continue;
    const all = estimate(strata);
    const without = strata.filter(({ name, judged }) => !judged && name.startsWith("kept,")).map(({ name }) => name);
    const line = (stratum, label) =>
      el("tr", { class: stratum === all ? "left" : null, "data-estimate": JSON.stringify({ unit, ...stratum, sample: undefined }) },
        el("th", { scope: "row" }, label), cell(count(stratum.population), { class: "optional" }), cell(count(stratum.judged)), cell(count(stratum.right), { class: "optional" }),
        cell(stratum.judged ? percent(stratum.precision) : "–"), cell(stratum.judged ? interval(stratum) : "–"));
    parts.push(
      el("p", { class: "precision" }, all
        ? [el("strong", {}, percent(all.precision)), ` of the ${what} are right (95 % interval ${interval(all)}, from ${plural(all.judged, "judgement")}).`,
          without.length ? ` Left out, because nothing in them is judged: ${without.join("; ")}.` : ""]
        : `No judgement of ${what} yet.`),
      table(`${caption}, and each part of the sample`,
        [head("Part"), head("In the run", true, { class: "optional" }), head("Judged", true), head("Right", true, { class: "optional" }), head("Share", true), head("95 % interval", true)],
        [...strata.map((stratum) => line(stratum, stratum.name)), all ? line(all, `all ${what}`) : null].filter(Boolean), { quiet: true }));
  }
  return parts;
};

if (data.audit?.order.length) views.push(["audit", "Audit", (view) => {
  const { strata, order, seed, docs, total } = data.audit;
  const stratumOf = new Map(strata.flatMap((stratum) => stratum.sample.map((n) => [auditItems[n], stratum.name])));
  const items = order.map((n) => auditItems[n]);
  const OTHER_TEXTS = { nav: "menus", caption: "captions", byline: "bylines", ad: "adverts", widget: "buttons", comment: "comments of readers under an article" };
  const notAsked = Object.entries(OTHER_TEXTS).flatMap(([role, words]) => (data.kept_roles.includes(role) ? [] : [words]));
  const isDone = (item) => {
    const { audit, verdict } = store.get(item);
    return audit === stratumOf.get(item) && verdict !== undefined;
  };
  const saidYes = (item) => (item.kind === "pair" || item.keep) === (store.get(item).verdict === "right");
  const answer = (item) => (isDone(item) ? `your answer: ${saidYes(item) ? "yes" : "no"}` : "no answer");
  function judge(yes) {
    const item = reviewing.item();
    const right = item.kind === "pair" ? yes : yes === item.keep;
    const keep = item.kind === "pair" ? {} : { keep: right ? null : !item.keep }; // whether to keep a pair is not asked
    store.change(item, { verdict: right ? "right" : "wrong", ...keep, audit: stratumOf.get(item) });
    const at = items.indexOf(item);
    const next = [...items.slice(at + 1), ...items.slice(0, at)].find((other) => !isDone(other));
    say(`${yes ? "Yes" : "No"}. ${progressWords()}`);
    if (next) return reviewing.go(next);
    result.open = true;
    say("All are judged. The result is below.", true);
    result.scrollIntoView({ block: "nearest" });
  }
  const YES = { keys: ["y"], label: "Yes", meaning: "yes", run: () => judge(true) };
  const NO = { keys: ["n"], label: "No", meaning: "no", run: () => judge(false) };

  const stage = el("div", { class: "stage" });
  const context = (lines) => lines.map(([lang, words]) => text("p", lang, words, { class: "context" }));
  function draw(item) {
    const number = `${count(items.indexOf(item) + 1)} of ${count(items.length)}`;
    const [uri, title, url] = docs[item.doc_id] ?? [];
    const segment = item.kind === "segment";
    stage.replaceChildren(el("article", { ...reviewing.attributes(item), class: `question ${isDone(item) ? "answered" : ""}`, "aria-label": `${segment ? "Segment" : "Pair"} ${number}` },
      el("p", { class: "note" }, `${number}${isDone(item) ? ` · ${answer(item)}` : ""}`),
      segment
        ? [el("h3", {}, text("span", null, title || short(uri ?? item.doc_id))), el("p", { class: "note" }, name(url || uri || "")),
          el("div", { class: "passage" }, context(item.before), text("p", item.lang, item.text, { class: "asked" }), context(item.after))]
        : el("div", { class: "sides" }, text("p", item.source_lang, item.source_text, { class: "asked" }), text("p", item.target_lang, item.target_text, { class: "asked" })),
      el("p", { class: "ask" }, segment ? "Is the marked text part of an article?" : "Do the two sides say the same?"),
      el("p", { class: "answers" }, [[YES, true], [NO, false]].map(([action, yes]) =>
        el("button", { type: "button", class: "plain big", "aria-pressed": String(isDone(item) && saidYes(item) === yes), click: () => act(action) }, `${action.label} `, el("kbd", { "aria-hidden": "true" }, action.keys[0])))),
      isCut(item.text ?? "") || isCut(item.source_text ?? "") || isCut(item.target_text ?? "") ? el("p", { class: "note" }, `Texts are cut after ${count(data.cut)} characters.`) : null));
    return stage.firstChild;
  }
  const reviewing = makeReviewer("audit", {
    reveal: draw, redraw: (item) => item.key === reviewing.item()?.key && draw(reviewing.item()), actions: [YES, NO], isDone, words: answer, links: false,
  });

  const tallied = el("div", {});
  const result = el("details", { class: "result" }, el("summary", {}, "Result so far"), tallied);
  const tally = () => tallied.replaceChildren(
    ...auditResults(strata.map((stratum) => {
      const judged = stratum.sample.map((n) => auditItems[n]).filter(isDone);
      return { ...stratum, judged: judged.length, right: judged.filter((item) => store.get(item).verdict === "right").length };
    })),
    el("p", { class: "note" }, "Of dropped segments, “right” means rightly dropped; of dropped pairs, that both sides say the same, so that the pair could have been kept. A repeat of article text is dropped although it is article text: if you answer yes, it counts as wrongly dropped. In the estimate for all that is kept, each part is weighted by its size in the run."));
  store.onChange(tally);

  view.append(el("h2", {}, "Audit"),
    el("p", { class: "about-it" }, `${count(items.length)} segments and pairs drawn at random (seed ${seed}), some from each part of the run. What ingest decided is not shown, so that it does not influence you; for the same reason, the result stays closed until you open it. `,
      "An article is what a page is read for: a story, an entry, the posts of a forum thread, a question and its answers, or the name and description of a product. Part of it is its own text: ", data.kept_roles.join(", "), `; not ${notAsked.join(", ")}. The two sides of a pair say the same if a reader of one misses nothing of the other.`),
    items.length < total ? el("p", { class: "note" }, `The run has no more than these; ${count(total)} were asked for.`) : "",
    stage, result);
  reviewing.show(items);
  tally();
  const first = items.find((item) => !isDone(item));
  if (first) reviewing.go(first, false);
  else {
    reviewing.go(items[0], false);
    result.open = true;
  }
}]);

// Dialogs: the choice of a role, and the keys.

function openDialog(title, ...children) {
  const id = `dialog-${++controls}`;
  const dialog = el("dialog", { "aria-labelledby": id, close: () => dialog.remove() },
    el("h2", { id }, title), children,
    el("p", {}, el("button", { type: "button", class: "plain", click: () => dialog.close() }, "Close ", el("kbd", {}, "Esc"))));
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

// A letter for each role: the first one that no earlier role has.
const ROLE_KEYS = (() => {
  const taken = new Map();
  for (const role of data.roles) {
    const letter = [...role].find((letter) => !taken.has(letter));
    if (letter) taken.set(letter, role);
  }
  return taken;
})();

function chooseRole(item, done) {
  const now = store.get(item).role ?? item.role;
  const choose = (role) => {
    dialog.close();
    done(role);
  };
  const letterOf = new Map([...ROLE_KEYS].map(([letter, role]) => [role, letter]));
  const dialog = openDialog("Role of this segment",
    el("div", { class: "roles" }, data.roles.map((role) =>
      el("button", { type: "button", class: "plain", "aria-pressed": String(role === now), autofocus: role === now, click: () => choose(role) },
        el("span", { class: "swatch", "--c": roleColor(role) }), el("span", {}, role), el("kbd", {}, letterOf.get(role) ?? "")))));
  dialog.addEventListener("keydown", (event) => {
    const role = ROLE_KEYS.get(event.key.toLowerCase());
    if (!role || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    choose(role);
  });
}

function showHelp(actions) {
  const keys = (action) => action.keys.map((key) => el("kbd", {}, KEY_NAMES[key] ?? key)).flatMap((key, at) => (at ? [" ", key] : [key]));
  openDialog("Keys",
    el("dl", { class: "keys" }, actions.map((action) =>
      el("div", {}, el("dt", {}, keys(action)), el("dd", {}, action.meaning ?? action.label)))),
    el("p", { class: "note" }, store.remembers() ? "This browser remembers your decisions. " : "This viewer remembers nothing: save before you leave. ", "Save them as corrections.jsonl, and give that file to ", el("code", {}, "ingest correct OUT corrections.jsonl"), " to apply it to the run."));
}
const KEY_NAMES = { ArrowDown: "↓", ArrowUp: "↑" };

// Shows a form that Python describes, and tells what is entered and pressed. The page is changed
// in place: focus, scroll position, open cards and half-typed text stay.

const ANSWER_MS = 10_000;
const FOCUSED = "input, select, textarea, button, summary, a, [tabindex]";

function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "im-report im-form";
  const lost = document.createElement("p");
  lost.className = "im-lost";
  lost.setAttribute("role", "alert");
  el.append(root, lost);

  const typed = new WeakSet(); // changed by hand and not told yet
  const told = new WeakMap(); // when it was told last
  let number = 0;
  let opened = false;

  const isOwn = (input) => typed.has(input) || (told.get(input) ?? 0) > model.get("seen");

  function tell(message, input) {
    number = Math.max(Date.now(), number + 1);
    if (input) {
      typed.delete(input);
      told.set(input, number);
    }
    model.send({ ...message, number });
    const mine = number;
    setTimeout(() => {
      if (model.get("seen") < mine) lost.textContent = model.get("lost");
    }, ANSWER_MS);
  }

  function show() {
    const next = document.createElement("template");
    next.innerHTML = model.get("content");
    // Space, Enter and arrows are for what has the cursor, and no shortcuts of JupyterLab; it asks
    // the element itself.
    for (const one of next.content.querySelectorAll(FOCUSED)) one.dataset.lmSuppressShortcuts = "";
    children(root, next.content, isOwn);
    if (opened) {
      const made = root.querySelector("[data-new]:not([data-met])");
      made?.querySelector("input, select, textarea")?.focus();
    }
    for (const made of root.querySelectorAll("[data-new]")) made.dataset.met = "";
    opened = true;
  }

  function enter(input) {
    const value = input.type === "checkbox" ? String(input.checked) : input.value;
    tell({ field: input.dataset.name ?? input.name, value }, input);
  }

  root.addEventListener("input", (event) => typed.add(event.target));
  root.addEventListener("change", (event) => {
    // A date that is being typed is valid from its first figure on: year 2 is no date of ours.
    const unfinished = event.target.type === "date" && /^0/.test(event.target.value);
    if (!unfinished) enter(event.target);
  });
  root.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-press]");
    const link = event.target.closest("a[href^='#']");
    if (link && goTo(root, link)) event.preventDefault();
    if (!button) return;
    if (button.hasAttribute("data-opens")) {
      for (const card of root.querySelectorAll("details[data-attention]")) card.open = true;
    } else {
      // What still has the cursor is told first: pressing may need it.
      for (const input of root.querySelectorAll("input, textarea")) if (typed.has(input)) enter(input);
      tell({ press: button.dataset.press });
    }
  });
  model.on("change:content", show);
  model.on("change:seen", () => {
    if (model.get("seen") >= number) lost.textContent = "";
    show();
  });
  model.on("msg:custom", (message, buffers) => {
    if (message.file) save(message.file, buffers[0]);
  });
  show();
}

// The headings of the notebook, by their words: ids differ between JupyterLab and Voilà.
function goTo(root, link) {
  const page = root.closest(".jp-Notebook") ?? document;
  const wanted = link.textContent.trim();
  const found = [...page.querySelectorAll("h2")].find(
    (title) => !title.closest(".im-form") && title.firstChild?.textContent.trim() === wanted,
  );
  if (!found) return false;
  found.tabIndex = -1;
  found.focus({ preventScroll: true });
  found.scrollIntoView();
  return true;
}

function save(name, data) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([data]));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// Make `from` have the children of `to`. What has the same id stays the same element, and so does
// what has none and holds the same: whoever types there keeps the cursor and what is typed.
function children(from, to, isOwn) {
  const known = new Map();
  for (const own of from.children) for (const id of ids(own)) known.set(id, own);
  const pairs = new Map();
  const kept = new Set();
  for (const next of to.children) {
    const own = ids(next).map((id) => known.get(id)).find((e) => e && alike(e, next) && !kept.has(e));
    if (own) {
      pairs.set(next, own);
      kept.add(own);
    }
  }
  // What goes, goes first: what stays need not be moved then.
  for (const own of new Set(known.values())) if (!kept.has(own)) own.remove();
  let at = from.firstChild;
  for (const next of [...to.childNodes]) {
    const fits = at && !kept.has(at) && ids(next).length === 0 && alike(at, next);
    const own = pairs.get(next) ?? (fits ? at : null);
    if (!own) {
      from.insertBefore(next, at);
      continue;
    }
    while (at && at !== own && !kept.has(at)) at = after(at);
    if (own !== at) move(from, own, at);
    same(own, next, isOwn);
    at = own.nextSibling;
  }
  while (at) at = after(at);
}

// The ids by which an element is known: its own, else those of what it holds.
function ids(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return [];
  return node.id ? [node.id] : [...node.querySelectorAll("[id]")].map((e) => e.id);
}

const alike = (own, next) => own.nodeName === next.nodeName && own.id === next.id;

// Take a node away; what followed it.
function after(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

// Browsers that can move an element without taking it out leave it the cursor.
function move(parent, node, before) {
  if (parent.moveBefore) parent.moveBefore(node, before);
  else parent.insertBefore(node, before);
}

function same(from, to, isOwn) {
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  const kept = from.nodeName === "DETAILS" ? ["open", "data-met"] : [];
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !kept.includes(name)) from.removeAttribute(name);
  }
  for (const { name, value } of [...to.attributes]) {
    if (from.getAttribute(name) !== value && !kept.includes(name)) from.setAttribute(name, value);
  }
  if (from.nodeName === "TEXTAREA") {
    if (!isOwn(from) && from.value !== to.value) from.value = to.value;
    return;
  }
  children(from, to, isOwn);
  if (from.nodeName === "INPUT" && !isOwn(from)) {
    if (from.checked !== to.checked) from.checked = to.checked;
    if (from.type !== "radio" && from.value !== to.value) from.value = to.value;
  } else if (from.nodeName === "SELECT" && !isOwn(from) && from.value !== to.value) {
    from.value = to.value;
  }
}

export default { render };

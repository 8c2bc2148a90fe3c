// What only the page can do: say whether its theme is dark, give files to the reader, open menus, ask before something
// is destroyed, name each control for people who can't see it, and tell of a run's end while nobody looks.

const OPENERS = [
  ["vg-open-stop", "vg-stop-menu", "More ways to stop"],
  ["vg-open-drawer", "vg-drawer", "Settings"],
  ["vg-open-more", "vg-more-menu", "More"],
];
const FILES = { html: "Report", svg: "Picture", csv: "Attempts", jsonl: "Events" };
const FIELDS = "button, input:not([type=file]), select, textarea";

function isDark() {
  const body = document.body;
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false"; // JupyterLab, Notebook, Voila
  if (body.dataset.vscodeThemeKind) return body.dataset.vscodeThemeKind.includes("dark");
  return window.matchMedia("(prefers-color-scheme: dark)").matches;
}

function size(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function save(name, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: "application/octet-stream" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function set(element, name, value) {
  if (!value) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

// -- names

let errorCount = 0;

// What is wrong with a field stands beside it; a screen reader is told, and hears it again at the field.
function complain(element, fields, wrong) {
  let error = element.nextElementSibling?.matches(".vg-field-error") ? element.nextElementSibling : null;
  if (wrong && !error) {
    error = document.createElement("div");
    error.className = "vg-field-error";
    error.id = `vg-error-${(errorCount += 1)}`;
    error.setAttribute("role", "alert");
    element.after(error);
  }
  if (!error) return;
  if (error.textContent !== wrong) error.textContent = wrong;
  error.hidden = !wrong;
  for (const field of fields) {
    set(field, "aria-invalid", wrong && "true");
    set(field, "aria-describedby", wrong && error.id);
  }
}

// ipywidgets counts the files of an upload, though they are loaded and gone.
function uncount(element) {
  for (const node of element.childNodes)
    if (node.nodeType === Node.TEXT_NODE && / \(\d+\)$/.test(node.data)) node.data = node.data.replace(/ \(\d+\)$/, "…");
}

function describe(element, { label, why, wrong }) {
  const fields = element.matches(FIELDS) ? [element] : [...element.querySelectorAll(FIELDS)];
  const isGroup = element.matches(".widget-toggle-buttons");
  if (isGroup) {
    set(element, "role", "group");
    set(element, "aria-label", label);
  }
  for (const field of fields) {
    if (isGroup) set(field, "aria-pressed", String(field.classList.contains("mod-active")));
    else if (label && field.tagName !== "BUTTON") set(field, "aria-label", label);
    set(field, "aria-description", why);
  }
  if (element.matches(".vg-upload")) uncount(element);
  complain(element, fields, wrong);
}

// -- menus and the drawer, above the page

function place(popover, opener) {
  const box = opener.getBoundingClientRect(), page = document.documentElement, below = page.clientHeight - box.bottom;
  const isBelow = below > 260 || below > box.top, isLeft = box.left < page.clientWidth / 2;
  const to = { left: isLeft && `${box.left}px`, right: !isLeft && `${page.clientWidth - box.right}px` };
  to.top = isBelow && `${box.bottom + 4}px`;
  to.bottom = !isBelow && `${page.clientHeight - box.top + 4}px`;
  for (const side of ["left", "right", "top", "bottom"]) popover.style[side] = to[side] || "auto";
  popover.style.maxHeight = `${(isBelow ? below : box.top) - 16}px`;
}

function join(panel, model, [openerName, popoverName, label], signal) {
  const opener = panel.querySelector(`.${openerName}`), popover = panel.querySelector(`.${popoverName}`);
  if (!opener || !popover || opener.popoverTargetElement === popover) return;
  popover.popover = "auto";
  popover.vgOpener = opener;
  opener.popoverTargetElement = popover; // a press on it is none beside the popover, which would close it
  opener.addEventListener("click", () => popover.togglePopover(), { signal }); // ipywidgets prevents the default
  opener.title = label;
  set(opener, "aria-label", label);
  set(popover, "role", "group");
  set(popover, "aria-label", label);
  popover.addEventListener("beforetoggle", ({ newState }) => {
    if (newState !== "open") return;
    place(popover, opener);
    model.send({ opened: popoverName });
  }, { signal });
  popover.addEventListener("keydown", (event) => step(popover, event), { signal });
  popover.addEventListener("click", ({ target }) => {
    if (!target.closest?.(".vg-export")) return; // what it brings lies below the menu
    popover.hidePopover();
    opener.focus();
  }, { signal });
  document.addEventListener("scroll", ({ target }) => {
    if (popover.matches(":popover-open") && !popover.contains(target)) place(popover, opener);
  }, { signal, capture: true, passive: true });
}

// The arrow keys go through the buttons of a menu.
function step(popover, event) {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by || !event.target.matches("button")) return;
  const all = [...popover.querySelectorAll("button:enabled")];
  all.at((all.indexOf(event.target) + by) % all.length)?.focus();
  event.preventDefault();
}

// -- questions

function ask(root, { text, yes, no, danger }) {
  const dialog = root.appendChild(document.createElement("dialog"));
  const line = dialog.appendChild(document.createElement("p"));
  dialog.className = "vg-ask";
  line.textContent = text;
  dialog.setAttribute("aria-label", text);
  const buttons = dialog.appendChild(document.createElement("div"));
  return new Promise((resolve) => {
    for (const [name, value] of [[no, ""], [yes, "yes"]]) {
      const button = buttons.appendChild(document.createElement("button"));
      button.textContent = name;
      button.className = `jupyter-button${value ? (danger ? " mod-danger" : " mod-success") : ""}`;
      button.onclick = () => dialog.close(value);
    }
    dialog.onclose = () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    };
    dialog.showModal(); // the gentle answer has the focus
  });
}

function askFirst(panel, root, model, event) {
  const button = event.target.closest?.("button");
  if (!button || button.dataset.vgSure) return;
  const name = [...button.classList].find((each) => model.get("controls")[each]?.ask);
  if (!name) return;
  event.stopPropagation();
  event.preventDefault();
  const opener = button.closest("[popover]")?.vgOpener;
  ask(root, model.get("controls")[name].ask).then((isSure) => {
    (opener ?? button).focus(); // the question has closed the menu
    if (!isSure) return;
    button.dataset.vgSure = "yes";
    button.click();
    delete button.dataset.vgSure;
  });
}

// -- notifications

const REFUSALS = { denied: "blocked by the browser", default: "not allowed yet", none: "this browser can't" };
const permission = () => globalThis.Notification?.permission ?? "none";

function serveNotifications(panel, model, signal) {
  let isAsking = false;
  const check = () => permission() !== "granted" && model.send({ refused: REFUSALS[permission()] });
  const request = async () => {
    isAsking = true;
    if (permission() === "default") await Notification.requestPermission();
    isAsking = false;
    check();
  };
  const follow = () => {
    if (!model.get("notify") || isAsking) return;
    // Switched on by a cell: a browser asks only after a click.
    if (permission() === "default") document.addEventListener("click", request, { once: true, signal });
    else check();
  };
  const tell = ({ ended }) => {
    if (!ended || !document.hidden || permission() !== "granted") return;
    const note = new Notification(ended.title, { body: ended.text, tag: ended.tag }); // one for all views
    note.onclick = () => window.focus();
  };
  panel.addEventListener("change", ({ target }) => {
    if (target.checked && target.closest(".vg-notify")) request();
  }, { signal });
  model.on("change:notify", follow);
  model.on("msg:custom", tell);
  follow();
  signal.addEventListener("abort", () => {
    model.off("change:notify", follow);
    model.off("msg:custom", tell);
  });
}

// -- together

function serve(panel, root, model, signal) {
  const update = () => {
    for (const each of OPENERS) join(panel, model, each, signal);
    for (const [name, control] of Object.entries(model.get("controls")))
      for (const element of panel.querySelectorAll(`.${name}`)) describe(element, control);
  };
  let isDue = false;
  const later = () => {
    if (isDue) return;
    isDue = true;
    setTimeout(() => { isDue = false; update(); }, 30);
  };
  const watcher = new MutationObserver(later);
  const options = { subtree: true, childList: true, attributeFilter: ["class"] };
  for (const rows of panel.querySelectorAll(".vg-rows")) watcher.observe(rows, options);
  panel.addEventListener("click", (event) => askFirst(panel, root, model, event), { signal, capture: true });
  model.on("change:controls", update);
  update();
  serveNotifications(panel, model, signal);
  signal.addEventListener("abort", () => {
    watcher.disconnect();
    model.off("change:controls", update);
  });
}

// A view is rendered before it stands on the page, and the rows beside it may come later.
function whenShown(el, signal, then) {
  const panel = el.isConnected && el.closest(".vg-panel");
  if (panel && OPENERS.every(([opener]) => panel.querySelector(`.${opener}`))) then(panel);
  else if (!signal.aborted) setTimeout(() => whenShown(el, signal, then), 50);
}

function render({ model, el }) {
  const ending = new AbortController(), { signal } = ending;
  const sendTheme = () => {
    if (model.get("dark") === isDark()) return;
    model.set("dark", isDark());
    model.save_changes();
  };
  const watcher = new MutationObserver(sendTheme);
  watcher.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind"] });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", sendTheme, { signal });
  sendTheme();

  const requested = new Set();
  const files = el.appendChild(document.createElement("div"));
  const note = files.appendChild(document.createElement("span")), links = files.appendChild(document.createElement("span"));
  const dismiss = files.appendChild(document.createElement("button"));
  note.setAttribute("role", "status");
  dismiss.className = "jupyter-button";
  dismiss.textContent = "Dismiss";
  dismiss.onclick = () => {
    el.closest(".vg-panel")?.querySelector(".vg-open-more")?.focus();
    model.send({ dismissed: true });
  };
  const showFiles = () => {
    files.classList.toggle("vg-shown", model.get("files_note") !== "" || model.get("files").length > 0);
    dismiss.hidden = !model.get("files").length;
    note.textContent = model.get("files_note");
    links.replaceChildren(
      ...model.get("files").map(([name, bytes]) => {
        const button = document.createElement("button"), kind = name.split(".").at(-1);
        button.className = "vg-link";
        button.textContent = `${FILES[kind] ?? name} (${kind.toUpperCase()}, ${size(bytes)})`;
        button.title = `Download ${name}`;
        button.onclick = () => {
          requested.add(name);
          model.send({ download: name });
        };
        return button;
      }),
    );
  };
  // All views of the model get the file; only the one where it was clicked saves it.
  const receive = ({ file }, buffers) => requested.delete(file) && save(file, buffers[0]);
  files.className = "vg-files";
  model.on("change:files change:files_note", showFiles);
  model.on("msg:custom", receive);
  showFiles();
  whenShown(el, signal, (panel) => serve(panel, el, model, signal));
  return () => {
    ending.abort();
    watcher.disconnect();
    model.off("change:files change:files_note", showFiles);
    model.off("msg:custom", receive);
  };
}

export default { render };

// The list of past runs, and the report of the one that is chosen. A report is a whole page: its frame has scripts, and
// nothing else of this page's; without an origin it can ask the notebook's server for nothing.

const HEADS = ["Began", "Run", "Succeeded", "Other", "Stands"];

function add(parent, tag, className = "", text = "") {
  const element = parent.appendChild(document.createElement(tag));
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

function render({ model, el }) {
  const root = add(el, "section", "vg-past");
  root.setAttribute("aria-label", "Past runs");
  const head = add(root, "div", "vg-past-head");
  add(head, "h4", "", "Past runs");
  const close = add(head, "button", "jupyter-button", "Close");
  close.onclick = () => model.send({ close: true });
  const list = add(root, "div", "vg-past-list");
  const note = add(root, "div", "vg-past-note");
  const trouble = add(root, "div", "vg-past-trouble");
  trouble.setAttribute("role", "status");
  let frame = null;

  const showRuns = () => {
    list.replaceChildren();
    if (!model.get("runs").length) return;
    const table = add(list, "table"), heads = add(add(table, "thead"), "tr"), body = add(table, "tbody");
    for (const name of HEADS) add(heads, "th", "", name).scope = "col";
    model.get("runs").forEach(([began, name, ...rest], index) => {
      const row = add(body, "tr");
      add(row, "td", "", began);
      add(add(row, "td"), "button", "vg-link", name).onclick = () => model.send({ open: index });
      for (const text of rest) add(row, "td", "", text);
    });
    showChosen();
  };
  const removeFrame = () => { frame = frame?.remove() ?? null; };
  const showChosen = () => {
    if (model.get("chosen") < 0) removeFrame();
    list.querySelectorAll("tbody tr").forEach((row, index) => {
      if (index === model.get("chosen")) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    });
  };
  const showText = () => {
    note.textContent = model.get("note");
    trouble.textContent = model.get("trouble");
    if (model.get("trouble")) removeFrame(); // that of another run
  };
  const receive = async ({ report }, buffers) => {
    if (!report || !buffers?.length) return;
    const stream = new Blob([buffers[0]]).stream().pipeThrough(new DecompressionStream("gzip"));
    const page = await new Response(stream).text();
    removeFrame();
    frame = document.createElement("iframe");
    frame.sandbox = "allow-scripts";
    frame.title = `Report of ${report}`;
    frame.srcdoc = page;
    root.append(frame);
    root.scrollIntoView({ block: "nearest" });
  };
  model.on("change:runs", showRuns);
  model.on("change:chosen", showChosen);
  model.on("change:note change:trouble", showText);
  model.on("msg:custom", receive);
  showRuns();
  showText();
  if (model.get("chosen") >= 0) model.send({ again: true });
  // The picker is hidden and shown as a whole, and lies below what was in view when its menu was open.
  const watcher = new IntersectionObserver(([first]) => {
    const isShown = root.checkVisibility();
    if (isShown && !wasShown) {
      root.closest(".vg-panel")?.querySelector(".vg-more-menu:popover-open")?.hidePopover();
      if (!first.isIntersecting) root.scrollIntoView({ block: "nearest" });
    }
    if (!isShown) removeFrame();
    wasShown = isShown;
  });
  let wasShown = false;
  watcher.observe(root);
  return () => {
    watcher.disconnect();
    model.off("change:runs", showRuns);
    model.off("change:chosen", showChosen);
    model.off("change:note change:trouble", showText);
    model.off("msg:custom", receive);
  };
}

export default { render };

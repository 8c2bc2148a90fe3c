// The table of scenes. Only the rows in view are elements of the page, so that ten thousand scenes are no burden; an
// element stays that of its row, so that focus, a pressed button and a selection survive an update.

const ROW_PX = 30;
const MARGIN_ROWS = 10;
const ORDER = ["held", "failed", "running", "waiting", "not run yet", "cancelled", "succeeded"];
const GLYPHS = { succeeded: "✓", failed: "✕", held: "?", running: "▸", waiting: "·", cancelled: "–", "not run yet": "○" };
const COLUMNS = [
  { name: "id", title: "Scene", value: (row) => row.id },
  { name: "prompt", title: "Prompt", value: (row) => row.prompt.toLowerCase() },
  { name: "status", title: "Status", value: (row) => ORDER.indexOf(row.status) },
  { name: "account", title: "Account", value: (row) => row.account },
  { name: "tries", title: "Tries", value: (row) => row.tries },
  { name: "cost", title: "Cost", value: (row) => parseFloat(String(row.cost ?? "").replace(/[^\d.]/g, "")) || 0, optional: true },
  { name: "note", title: "Why", value: (row) => row.note.toLowerCase(), optional: true },
];
const collator = new Intl.Collator("en", { numeric: true });
const compare = (a, b) => (typeof a === "number" ? a - b : collator.compare(a, b));

async function unpackJson(buffer) {
  const stream = new Blob([buffer]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

export default () => {
  const rows = new Map();
  const views = new Set();
  const requests = new Map();
  let arrived = Promise.resolve(), count = 0, ask, tell;

  async function receive(content, buffers) {
    if (content?.answer !== undefined) {
      requests.get(content.answer)?.([content, buffers ?? []]);
      requests.delete(content.answer);
    }
    if (content?.what !== "rows") return;
    const found = buffers?.length ? await unpackJson(buffers[0]) : content.rows;
    if (content.reset) rows.clear();
    for (const row of found) rows.set(row.key, row);
    for (const key of content.removed) rows.delete(key);
    for (const view of views) view();
  }

  return {
    initialize({ model }) {
      model.on("msg:custom", (content, buffers) => {
        arrived = arrived.then(() => receive(content, buffers)).catch(console.error); // in order, unpacked or not
      });
      tell = (content, buffers) => model.send(content, {}, buffers);
      ask = (content) =>
        new Promise((resolve) => {
          const request = `${Date.now()}-${(count += 1)}-${Math.random()}`; // another page may ask, too
          requests.set(request, resolve);
          model.send({ ...content, request });
        });
      model.send({ what: "rows" });
    },
    render: ({ model, el }) => renderScenes({ model, el, rows, views, ask, tell }),
  };
};

function renderScenes({ model, el, rows, views, ask, tell }) {
  const selected = new Set();
  let status = "", needle = "", sort = { column: null, descending: false };
  let order = [], active = null, drawnAt = 0, scheduled = 0;
  const elements = new Map(); // key -> tr

  // -- the parts

  el.classList.add("vg-scene-table");
  const alert = make("div", { className: "vg-scene-alert", role: "alert" });
  const chips = make("div", { className: "vg-scene-chips", role: "group" });
  chips.setAttribute("aria-label", "Show scenes by status");
  const filter = make("input", { type: "search", placeholder: "Filter" });
  filter.setAttribute("aria-label", "Filter scenes");
  const actions = make("div", { className: "vg-scene-actions" });
  const table = make("table", {});
  const selectAll = make("input", { type: "checkbox" });
  selectAll.setAttribute("aria-label", "Select all that are shown");
  const headings = new Map(COLUMNS.map((column) => [column.name, heading(column)]));
  const heads = [...headings.values()];
  table.append(make("thead", {}, make("tr", {}, make("th", { className: "vg-c-check" }, selectAll), ...heads)));
  const [above, body, under] = ["tbody", "tbody", "tbody"].map((tag) => table.appendChild(make(tag)));
  for (const spacer of [above, under]) spacer.append(make("tr", {}, make("td", { colSpan: 2 })));
  for (const spacer of [above, under]) spacer.setAttribute("aria-hidden", "true");
  const view = make("div", { className: "vg-scene-view", tabIndex: -1 }, table);
  const caption = make("div", { className: "vg-note" });
  el.append(alert, make("div", { className: "vg-scene-top" }, chips, filter), actions, view, caption);
  const stills = makeStills(ask, tell, () => schedule());
  const clear = () => {
    selected.clear();
    schedule();
  };
  const showActions = makeActions(actions, ask, clear);

  function heading(column) {
    const button = make("button", { type: "button", textContent: column.title, title: `Sort by ${column.title.toLowerCase()}` });
    button.onclick = () => {
      if (sort.column !== column) sort = { column, descending: false };
      else sort = sort.descending ? { column: null, descending: false } : { column, descending: true };
      update();
    };
    return make("th", { className: `vg-c-${column.name}`, scope: "col" }, button);
  }

  // -- which rows, in which order

  function update() {
    const counts = new Map();
    for (const row of rows.values()) counts.set(row.status, (counts.get(row.status) ?? 0) + 1);
    if (status && !counts.has(status)) status = "";
    for (const key of selected) if (!rows.has(key)) selected.delete(key);
    drawChips(counts);
    const wanted = needle.toLowerCase();
    const matches = (row) =>
      (!status || row.status === status) &&
      (!wanted || [row.id, row.prompt, row.account, row.note].some((text) => text.toLowerCase().includes(wanted)));
    const found = [...rows.values()].filter(matches).sort((a, b) => a.place - b.place);
    if (sort.column) {
      const { value } = sort.column, sign = sort.descending ? -1 : 1;
      found.sort((a, b) => sign * compare(value(a), value(b)));
    }
    order = found.map((row) => row.key);
    for (const column of COLUMNS) {
      const isSorted = sort.column === column;
      headings.get(column.name).ariaSort = isSorted ? (sort.descending ? "descending" : "ascending") : "none";
      if (column.optional)
        el.classList.toggle(`vg-no-${column.name}`, ![...rows.values()].some((row) => row[column.name]));
    }
    el.classList.toggle("vg-no-poster", ![...rows.values()].some((row) => row.video && stills.get(row.video)));
    const all = rows.size.toLocaleString("en");
    caption.textContent = !rows.size ? "No scenes yet: type, paste or load some."
      : order.length === rows.size ? few(rows.size, "scene") : `${order.length.toLocaleString("en")} of ${all} scenes`;
    table.setAttribute("aria-rowcount", order.length + 1);
    draw();
  }

  function drawChips(counts) {
    const wanted = [["", "all", rows.size], ...ORDER.toReversed().filter((each) => counts.has(each)).map((each) => [each, each, counts.get(each)])];
    const same = chips.children.length === wanted.length && wanted.every(([value], at) => chips.children[at].value === value);
    if (!same)
      chips.replaceChildren(...wanted.map(([value]) => make("button", {
        type: "button", value, onclick: () => { status = status === value ? "" : value; update(); },
      })));
    wanted.forEach(([value, label, number], at) => {
      const chip = chips.children[at], text = `${label} ${number.toLocaleString("en")}`;
      if (chip.textContent !== text) chip.textContent = text;
      chip.setAttribute("aria-pressed", String(status === value));
      chip.dataset.status = value;
    });
  }

  // -- the rows in view

  function draw() {
    drawnAt = 0;
    const first = Math.max(0, Math.floor(view.scrollTop / ROW_PX) - MARGIN_ROWS);
    const last = Math.min(order.length, Math.ceil((view.scrollTop + (view.clientHeight || 300)) / ROW_PX) + MARGIN_ROWS);
    const inView = order.slice(first, last);
    const wanted = new Set(inView);
    const focused = body.contains(document.activeElement) ? document.activeElement.closest("tr").dataset.key : null;
    for (const [key, tr] of elements)
      if (!wanted.has(key)) {
        tr.remove();
        elements.delete(key);
      }
    if (focused !== null && !wanted.has(focused)) view.focus({ preventScroll: true });
    if (!rows.has(active)) active = null;
    const tabStop = wanted.has(active) ? active : inView[Math.min(inView.length - 1, first ? MARGIN_ROWS : 0)];
    let cursor = body.firstChild;
    inView.forEach((key, at) => {
      const tr = elements.get(key) ?? newRow(key);
      if (tr !== cursor) body.insertBefore(tr, cursor);
      else cursor = cursor.nextSibling;
      fill(tr, rows.get(key));
      tr.setAttribute("aria-rowindex", first + at + 2);
      tr.tabIndex = key === tabStop ? 0 : -1;
    });
    above.rows[0].cells[0].style.height = `${first * ROW_PX}px`;
    under.rows[0].cells[0].style.height = `${(order.length - last) * ROW_PX}px`;
    above.hidden = first === 0;
    under.hidden = last >= order.length;
    const shown = order.filter((key) => selected.has(key)).length;
    selectAll.checked = order.length > 0 && shown === order.length;
    selectAll.indeterminate = shown > 0 && shown < order.length;
    showActions([...selected].map((key) => rows.get(key)), model.get("disabled"));
  }

  function schedule() {
    scheduled ||= requestAnimationFrame(() => {
      scheduled = 0;
      update();
    });
  }

  function newRow(key) {
    const tr = make("tr");
    tr.dataset.key = key;
    const check = make("input", { type: "checkbox", tabIndex: -1 });
    tr.append(make("td", { className: "vg-c-check" }, check), ...COLUMNS.map((column) => make("td", { className: `vg-c-${column.name}` })));
    tr.check = check;
    elements.set(key, tr);
    return tr;
  }

  function fill(tr, row) {
    const isSelected = selected.has(row.key), isHighlighted = row.scene === model.get("highlighted");
    const still = row.video ? stills.get(row.video) : null;
    if (row.video) stills.want(row.key, row.video);
    tr.check.checked = isSelected;
    tr.setAttribute("aria-selected", String(isSelected));
    tr.classList.toggle("vg-highlighted", isHighlighted);
    if (tr.row === row && tr.still === still) return;
    Object.assign(tr, { row, still });
    tr.dataset.status = row.status;
    tr.check.setAttribute("aria-label", `Select ${row.id}`);
    const [, id, prompt, stand, account, tries, cost, note] = tr.cells;
    const text = (cell, value, title = "") => Object.assign(cell, { textContent: value, title });
    text(id, row.id, row.id);
    text(prompt, row.prompt, row.prompt);
    if (row.video) prompt.prepend(poster(row, still));
    stand.replaceChildren(make("span", { className: "vg-mark", textContent: GLYPHS[row.status] ?? "" }), row.status);
    text(account, row.account, row.account);
    text(tries, row.tries ? String(row.tries) : "");
    text(cost, row.cost ?? "");
    text(note, row.note, row.note);
  }

  function poster(row, still) {
    const play = () => ask({ what: "play", keys: [row.key] });
    const button = make("button", { type: "button", className: "vg-poster", tabIndex: -1, title: `Play ${row.id}`, onclick: play });
    button.setAttribute("aria-label", `Play ${row.id}`);
    if (still) button.append(make("img", { src: still, alt: "" }));
    else button.textContent = "▶";
    return button;
  }

  // -- hands

  function toggle(key, range) {
    if (range && active !== null && order.includes(active)) {
      const [from, to] = [order.indexOf(active), order.indexOf(key)].sort((a, b) => a - b);
      for (const each of order.slice(from, to + 1)) selected.add(each);
    } else if (!selected.delete(key)) selected.add(key);
    active = key;
    draw();
  }

  const rowOf = (event) => event.target.closest?.("tr[data-key]")?.row;
  body.onclick = (event) => {
    const row = rowOf(event);
    if (!row || event.target.closest("button")) return;
    if (event.target.closest(".vg-c-check")) return toggle(row.key, event.shiftKey);
    if (!document.getSelection().isCollapsed) return;
    active = row.key;
    highlight(row);
  };
  const highlight = (row) => {
    if (row.status !== "not run yet") ask({ what: "select", scene: row.scene });
    draw();
  };
  view.onkeydown = (event) => {
    if (event.target.closest("thead, button")) return;
    const at = order.indexOf(active), page = Math.max(1, Math.floor(view.clientHeight / ROW_PX) - 2);
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: order.length - 1 };
    const row = rowOf(event) ?? rows.get(active);
    if (event.key in moves && order.length) focusRow(Math.max(0, Math.min(order.length - 1, moves[event.key])));
    else if (event.key === " " && row) toggle(row.key, event.shiftKey);
    else if (event.key === "Enter" && row) highlight(row);
    else if (event.key === "a" && (event.ctrlKey || event.metaKey)) selectAll.click();
    else if (event.key === "Escape" && selected.size) clear();
    else return;
    event.preventDefault();
    event.stopPropagation(); // JupyterLab has shortcuts of its own
  };
  body.addEventListener("focusin", (event) => {
    active = rowOf(event)?.key ?? active;
  });
  function focusRow(at) {
    active = order[at];
    const head = table.tHead.offsetHeight, top = at * ROW_PX;
    if (top < view.scrollTop) view.scrollTop = top;
    else if (top + ROW_PX + head > view.scrollTop + view.clientHeight) view.scrollTop = top + ROW_PX + head - view.clientHeight;
    draw();
    elements.get(active)?.focus({ preventScroll: true });
  }
  selectAll.onclick = () => {
    const all = order.every((key) => selected.has(key));
    for (const key of order) all ? selected.delete(key) : selected.add(key);
    draw();
  };
  filter.oninput = () => {
    needle = filter.value.trim();
    view.scrollTop = 0;
    update();
  };
  view.onscroll = () => {
    drawnAt ||= requestAnimationFrame(draw);
  };
  const showHighlighted = () => {
    const at = order.indexOf(`r:${model.get("highlighted")}`);
    if (at >= 0 && !body.contains(document.activeElement)) {
      const top = at * ROW_PX;
      if (top < view.scrollTop || top + 2 * ROW_PX > view.scrollTop + view.clientHeight) view.scrollTop = top - view.clientHeight / 3;
    }
    draw();
  };
  const showAlert = () => {
    alert.textContent = model.get("alert");
    alert.hidden = !model.get("alert");
  };
  model.on("change:highlighted", showHighlighted);
  model.on("change:alert", showAlert);
  model.on("change:disabled", draw);
  const sized = new ResizeObserver(() => schedule());
  sized.observe(view);
  views.add(schedule);
  showAlert();
  update();
  return () => {
    views.delete(schedule);
    sized.disconnect();
    model.off("change:highlighted", showHighlighted);
    model.off("change:alert", showAlert);
    model.off("change:disabled", draw);
    cancelAnimationFrame(scheduled);
  };
}

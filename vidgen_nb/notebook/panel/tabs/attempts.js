// The attempts as a DataTable. SOURCE is the module that comes with itables. Rows are replaced in place: sorting, search,
// page and the focus in the search box must survive an update, which happens twice a second.

const library = () =>
  (globalThis.vidgen_nb_datatables ??= import(URL.createObjectURL(new Blob([SOURCE], { type: "text/javascript" }))));

function columns(headings, DataTable) {
  const text = DataTable.render.text(); // it escapes: ids, profiles and reasons are foreign text
  const number = (digits) => ({ display: (value) => (value == null ? "" : value.toFixed(digits)) });
  return headings.map(([title, kind], index) => {
    if (kind === "text") return { title, render: text };
    if (kind === "scene") return { title, render: { ...text, display: (value) => button(text.display(value)) } };
    return { title, type: "num", className: "dt-right", render: number(kind === "whole" ? 0 : 1) };
  });
}

const button = (escaped) =>
  `<button type="button" class="vg-link" title="Highlight this scene in the chart">${escaped}</button>`;

async function render({ model, el, signal }) {
  const { default: DataTable, set_or_remove_dark_class: followTheme } = await library();
  if (signal?.aborted) return;
  followTheme();
  el.classList.add("vg-attempts");
  const table = el.appendChild(document.createElement("table"));
  table.className = "display compact";
  const mark = (tr, row) => tr.classList.toggle("vg-chosen", row.at(-1) === model.get("chosen"));
  const dt = new DataTable(table, {
    data: model.get("rows"),
    columns: columns(model.get("headings"), DataTable),
    order: [[4, "desc"]],
    pageLength: 10,
    lengthMenu: [10, 25, 100, 500],
    autoWidth: false,
    deferRender: true,
    rowCallback: (tr, row) => mark(tr, row),
    language: {
      search: "Filter",
      lengthMenu: "_MENU_ per page",
      emptyTable: "No attempts yet",
      zeroRecords: "No attempt matches the filter",
      info: "_START_ to _END_ of _TOTAL_",
      infoFiltered: "(of _MAX_)",
      infoEmpty: "0 attempts",
    },
  });
  // A row has a value for each heading, then the scene's unchanged id. Scene and number identify it.
  const rowOf = (element) => dt.row(element.closest("tr")).data();
  const select = (event) => {
    const isKey = event.type === "click" && event.detail === 0;
    // React when the button goes down: by the time it comes up, the row may have been redrawn.
    if (event.target.closest("button.vg-link") && (event.type === "pointerdown" || isKey))
      model.send({ select: rowOf(event.target).at(-1) });
  };
  table.addEventListener("pointerdown", select);
  table.addEventListener("click", select);

  const isSelected = () => !document.getSelection().isCollapsed && table.contains(document.getSelection().anchorNode);
  const update = () => {
    if (isSelected()) return; // the reader is copying; updates continue once nothing is selected
    const focused = table.tBodies[0]?.contains(document.activeElement) ? rowOf(document.activeElement) : null;
    const place = focused && document.activeElement.closest("tr").sectionRowIndex;
    dt.clear().rows.add(model.get("rows")).draw("full-hold");
    if (focused === null) return;
    const same = dt.row((_, row) => row.at(-1) === focused.at(-1) && row[1] === focused[1]).node();
    // a row that is on another page now leaves the focus to the one in its place
    const next = same?.isConnected ? same : table.tBodies[0].rows[place];
    next?.querySelector("button")?.focus({ preventScroll: true });
  };
  const choose = () => dt.rows().every(function () {
    if (this.node()) mark(this.node(), this.data());
  });
  model.on("change:rows", update);
  model.on("change:chosen", choose);
  document.addEventListener("selectionchange", update);
  return () => {
    model.off("change:rows", update);
    model.off("change:chosen", choose);
    document.removeEventListener("selectionchange", update);
    dt.destroy();
  };
}

export default { render };

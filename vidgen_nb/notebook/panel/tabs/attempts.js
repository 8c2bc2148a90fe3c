// The attempts as a DataTable (SOURCE: the module that itables brings). Rows are replaced in place, so that sorting,
// search, page and the focus in the search box outlive an update, which happens twice a second.

const library = () =>
  (globalThis.vidgen_nb_datatables ??= import(URL.createObjectURL(new Blob([SOURCE], { type: "text/javascript" }))));

function columns(heads, DataTable) {
  const text = DataTable.render.text(); // escapes: ids, profiles and reasons are somebody else's text
  const number = (digits) => ({ display: (value) => (value == null ? "" : value.toFixed(digits)) });
  return heads.map(([title, kind], index) => {
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
  const dt = new DataTable(table, {
    data: model.get("rows"),
    columns: columns(model.get("heads"), DataTable),
    order: [[4, "desc"]],
    pageLength: 10,
    lengthMenu: [10, 25, 100, 500],
    autoWidth: false,
    deferRender: true,
    language: {
      search: "Filter",
      lengthMenu: "_MENU_ a page",
      emptyTable: "No attempts yet",
      zeroRecords: "No attempt matches the filter",
      info: "_START_ to _END_ of _TOTAL_",
      infoFiltered: "(of _MAX_)",
      infoEmpty: "0 attempts",
    },
  });
  // A row is [what HEADS name…, the scene's id as it is]; scene and number tell it from others.
  const rowOf = (element) => dt.row(element.closest("tr")).data();
  const select = (event) => {
    const isKey = event.type === "click" && event.detail === 0;
    // not the end of a press: the row it began on may have been drawn anew until then
    if (event.target.closest("button.vg-link") && (event.type === "pointerdown" || isKey))
      model.send({ select: rowOf(event.target).at(-1) });
  };
  table.addEventListener("pointerdown", select);
  table.addEventListener("click", select);

  const isSelected = () => !document.getSelection().isCollapsed && table.contains(document.getSelection().anchorNode);
  const follow = () => {
    if (isSelected()) return; // somebody copies; it goes on when nothing is selected any more
    const focused = table.tBodies[0]?.contains(document.activeElement) ? rowOf(document.activeElement) : null;
    dt.clear().rows.add(model.get("rows")).draw("full-hold");
    if (focused === null) return;
    const same = dt.row((_, row) => row.at(-1) === focused.at(-1) && row[1] === focused[1]).node();
    same?.querySelector("button")?.focus({ preventScroll: true });
  };
  model.on("change:rows", follow);
  document.addEventListener("selectionchange", follow);
  return () => {
    model.off("change:rows", follow);
    document.removeEventListener("selectionchange", follow);
    dt.destroy();
  };
}

export default { render };

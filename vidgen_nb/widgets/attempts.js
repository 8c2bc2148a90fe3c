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
  table.addEventListener("click", (event) => {
    const row = event.target.closest("button.vg-link") && dt.row(event.target.closest("tr"));
    if (row) model.send({ select: row.data()[0] });
  });
  const follow = () => dt.clear().rows.add(model.get("rows")).draw("full-hold");
  model.on("change:rows", follow);
  return () => {
    model.off("change:rows", follow);
    dt.destroy();
  };
}

export default { render };

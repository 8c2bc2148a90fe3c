// Lines of text, the newest first, that can be read while more come: the place that is read and a selection stay.

function render({ model, el }) {
  const note = el.appendChild(document.createElement("div"));
  const pre = el.appendChild(document.createElement("pre"));
  note.className = "vg-note";
  pre.className = "vg-lines";
  pre.tabIndex = 0;
  const isSelected = () => !document.getSelection().isCollapsed && pre.contains(document.getSelection().anchorNode);

  const show = () => {
    note.textContent = model.get("caption");
    pre.setAttribute("aria-label", model.get("caption"));
    if (isSelected()) return;
    const below = pre.scrollHeight - pre.scrollTop; // new lines come above what is read
    const isRead = pre.scrollTop > 0;
    pre.textContent = model.get("text");
    if (isRead) pre.scrollTop = pre.scrollHeight - below;
  };
  model.on("change", show);
  document.addEventListener("selectionchange", show);
  show();
  return () => {
    model.off("change", show);
    document.removeEventListener("selectionchange", show);
  };
}

export default { render };

// Lines of text, the newest first. While more arrive, the scroll position and a selection are kept.

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
    const below = pre.scrollHeight - pre.scrollTop; // new lines are added above the ones in view
    const isScrolled = pre.scrollTop > 0;
    pre.textContent = model.get("text");
    if (isScrolled) pre.scrollTop = pre.scrollHeight - below;
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

// The labels of the chart's lanes. Elements are kept and changed in place: focus and an open tooltip must survive the
// updates, of which there are two a second. All text is foreign: it is set as text, never as markup.

function element(parent, tag, className) {
  const made = parent.appendChild(document.createElement(tag));
  made.className = className;
  return made;
}

const change = (target, name, value) => {
  if (target[name] !== value) target[name] = value;
};

function makeLane(model, name) {
  const root = document.createElement("div");
  const line = element(root, "div", "vg-lane-line");
  const label = element(line, "label", "vg-lane-name");
  const box = element(label, "input", "vg-lane-use");
  box.type = "checkbox";
  box.onchange = () => model.send({ use: name, on: box.checked });
  const text = element(label, "span", "vg-lane-text");
  const count = element(line, "span", "vg-lane-count");
  const note = element(line, "span", "vg-lane-note");
  const release = element(line, "button", "vg-lane-release");
  release.type = "button";
  release.textContent = "✕";
  release.onclick = () => model.send({ release: name });
  const below = element(root, "div", "vg-lane-below");
  const gauge = element(below, "div", "vg-lane-gauge");
  gauge.setAttribute("role", "meter");
  gauge.setAttribute("aria-valuemin", 0);
  const fill = element(gauge, "div", "vg-lane-fill");
  const limit = element(below, "span", "vg-lane-limit");
  return (lane, closed) => {
    const rest = lane.note && lane.state === "out" ? " vg-lane-long" : "";
    change(root, "className", `vg-lane vg-lane-${lane.state}${rest}${lane.height < 38 ? " vg-lane-thin" : ""}`);
    change(root.style, "top", `${lane.top}px`);
    change(root.style, "height", `${lane.height}px`);
    change(root, "title", lane.tip);
    change(box, "checked", lane.on);
    change(box, "disabled", closed || lane.fixed);
    box.setAttribute("aria-label", `${lane.label}: gets new work`);
    label.title = lane.fixed ? "The last account in use stays; Pause holds back new work" : lane.tip;
    change(text, "textContent", lane.label);
    change(count, "textContent", lane.count);
    count.setAttribute("aria-label", `${lane.count} running`);
    change(note, "textContent", lane.note);
    change(release, "hidden", !lane.release);
    change(release, "disabled", closed);
    change(release, "title", lane.state === "out" ? `Try ${lane.label} again now` : `End the rest of ${lane.label} now`);
    release.setAttribute("aria-label", `Release ${lane.label}`);
    change(gauge, "hidden", lane.share === null);
    change(gauge.style, "backgroundSize", `${100 / Math.max(1, Math.min(lane.size, 20))}% 100%`);
    change(fill.style, "width", `${100 * (lane.share ?? 0)}%`);
    fill.classList.toggle("vg-lane-empty", (lane.share ?? 1) * lane.size < 1);
    gauge.setAttribute("aria-valuemax", lane.size);
    gauge.setAttribute("aria-valuenow", ((lane.share ?? 0) * lane.size).toFixed(1));
    gauge.setAttribute("aria-label", `Submits left on ${lane.label}`);
    change(limit, "textContent", lane.limit);
    return root;
  };
}

function render({ model, el, signal }) {
  el.classList.add("vg-lanes");
  const queue = element(el, "div", "vg-lane-queue");
  const lanes = new Map();
  const update = () => {
    el.style.height = `${model.get("height")}px`;
    el.classList.toggle("vg-lanes-idle", !model.get("running"));
    const above = model.get("queue");
    change(queue, "textContent", above.text ?? "");
    queue.style.top = `${above.top ?? 0}px`;
    queue.style.height = `${above.height ?? 0}px`;
    const shown = new Set();
    for (const lane of model.get("lanes")) {
      shown.add(lane.name);
      if (!lanes.has(lane.name)) lanes.set(lane.name, makeLane(model, lane.name));
      const root = lanes.get(lane.name)(lane, model.get("closed"));
      if (root.parentNode !== el) el.appendChild(root);
      root.dataset.name = lane.name;
    }
    for (const root of [...el.querySelectorAll(":scope > .vg-lane")])
      if (!shown.has(root.dataset.name)) {
        lanes.delete(root.dataset.name);
        root.remove();
      }
  };
  const tell = (content) => {
    try {
      model.send(content);
    } catch {
      // the kernel has ended, and nobody draws any more
    }
  };
  const onKey = (event) => {
    const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select, .cm-editor");
    // Only the kernel knows whether a scene is selected: the click that selects one may still be on its way.
    if (event.key === "Escape" && !event.repeat && !typing) tell({ select: null });
  };
  window.addEventListener("keydown", onKey, true); // JupyterLab takes Escape for itself, on the document
  // The figure beside these labels: how wide it is decides which of its bars have room for an id.
  const widths = new ResizeObserver(([{ contentRect: { width } }]) => {
    if (width) tell({ width });
  });
  requestAnimationFrame(() => {
    const figure = el.closest(".vg-chart-plot")?.querySelector(".vg-chart-figure");
    if (figure && !signal?.aborted) widths.observe(figure);
  });
  model.on("change", update);
  update();
  return () => {
    widths.disconnect();
    window.removeEventListener("keydown", onKey, true);
    model.off("change", update);
  };
}

export default { render };

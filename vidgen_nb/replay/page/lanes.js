// The label of each lane: how much is under way, why it rests, how full its limit is. Elements are kept and changed in
// place. All text is foreign: it is set as text, never as markup.

function element(parent, tag, className, text) {
  const made = parent.appendChild(document.createElement(tag));
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

const change = (target, name, value) => {
  if (target[name] !== value) target[name] = value;
};

class Lanes {
  constructor(parent, recorded) {
    this.recorded = recorded;
    this.lanes = recorded.columns.lanes.map((lane) => {
      const root = element(parent, "div", "vgr-lane");
      root.style.top = `${lane.top}px`;
      root.style.height = `${lane.bottom - lane.top}px`;
      const height = lane.bottom - lane.top;
      const size = height < 36 ? " vgr-thin" : height >= 54 ? " vgr-tall" : "";
      const line = element(root, "div", "vgr-lane-line");
      element(line, "span", "vgr-lane-name", lane.label);
      const count = element(line, "span", "vgr-lane-count");
      const note = element(line, "span", "vgr-lane-note");
      const below = element(root, "div", "vgr-lane-below");
      const gauge = element(below, "div", "vgr-gauge");
      gauge.setAttribute("role", "meter");
      gauge.setAttribute("aria-valuemin", 0);
      gauge.setAttribute("aria-label", `Submits left on ${lane.label}`);
      const fill = element(gauge, "div", "vgr-gauge-fill");
      const limit = element(below, "span", "vgr-limit");
      return { root, size, count, note, gauge, fill, limit };
    });
  }

  /** Bring what is seen up to date: `from` and `to` are pixels of the lanes. */
  update(time, from, to) {
    const { recorded } = this;
    const running = recorded.running(time);
    const resting = recorded.resting(time);
    this.lanes.forEach((shown, lane) => {
      const { top, bottom, label } = recorded.columns.lanes[lane];
      if (bottom < from || top > to) return;
      const room = recorded.room(lane, time);
      const rest = resting[lane];
      const state = rest.left ? (rest.out ? "out" : "rest") : room === 0 ? "off" : "busy";
      change(shown.root, "className", `vgr-lane vgr-lane-${state}${shown.size}`);
      change(shown.count, "textContent", room ? `${running[lane]}/${room}` : `${running[lane]}`);
      change(shown.note, "textContent", this.note(state, rest));
      const reason = recorded.text(rest.left ? rest.reason : -1);
      const gauge = recorded.gauge(lane, time);
      shown.gauge.hidden = !gauge || gauge.level === null;
      const lines = [label, `${running[lane]} running`, reason && `rests: ${reason}`];
      if (gauge && gauge.level === null) lines.push(`${gauge.limit} (${gauge.source})`);
      else if (gauge) {
        const left = Math.min(gauge.size, gauge.level);
        shown.fill.style.width = `${(100 * left) / Math.max(1, gauge.size)}%`;
        shown.fill.classList.toggle("vgr-empty", left < 1 - 1e-6);
        change(shown.gauge.style, "backgroundSize", `${100 / Math.max(1, Math.min(gauge.size, 20))}% 100%`);
        shown.gauge.setAttribute("aria-valuemax", gauge.size);
        shown.gauge.setAttribute("aria-valuenow", left.toFixed(1));
        lines.push(`${left.toFixed(1)} of ${gauge.size} submits left (${gauge.limit}; ${gauge.source})`);
      }
      change(shown.limit, "textContent", gauge ? gauge.limit : "no limit met yet");
      change(shown.root, "title", lines.filter(Boolean).join("\n"));
    });
  }

  note(state, rest) {
    if (state === "off") return "off";
    if (!rest.left) return "";
    const left = this.recorded.seconds(rest.left);
    const words = Number.isFinite(left) ? (left < 6000 ? `${Math.ceil(left - 1e-6)} s` : duration(left)) : "no end known";
    return state === "out" ? `out, ${words}` : `rests ${words}`;
  }
}

// Draws the Gantt of a run and the ghost of the run before (picture.py says what it gets), in SVG.

const SVG = "http://www.w3.org/2000/svg";
const AXIS = 22, RIGHT = 14;

function isDark() {
  const body = document.body;
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false"; // JupyterLab, Notebook, Voila
  if (body.dataset.vscodeThemeKind) return body.dataset.vscodeThemeKind.includes("dark");
  return window.matchMedia("(prefers-color-scheme: dark)").matches;
}

function shape(parent, name, attributes, title) {
  const made = document.createElementNS(SVG, name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (title) made.appendChild(document.createElementNS(SVG, "title")).textContent = title;
  return parent.appendChild(made);
}

function ticks(end, most) {
  const rough = end / Math.max(1, most), power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough);
  return Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, count) => +(count * step).toPrecision(9));
}

function hatches(svg, looks, theme, name) {
  const defs = shape(svg, "defs", {});
  for (const [state, [fill, pattern, ink]] of Object.entries(theme.marks)) {
    if (!pattern) continue;
    const made = shape(defs, "pattern", { id: `${name}-${state}`, width: 6, height: 6, patternUnits: "userSpaceOnUse" });
    shape(made, "rect", { width: 6, height: 6, fill: fill ?? "none" });
    made.insertAdjacentHTML("beforeend", looks.hatches[pattern].replaceAll("{ink}", ink)); // our own text
  }
}

function look(mark, state, name) {
  const [fill, pattern, , outline, dashed] = mark, found = { fill: pattern ? `url(#${name}-${state})` : fill ?? "none" };
  if (outline) found.stroke = outline;
  if (dashed) found["stroke-dasharray"] = "4 3";
  return found;
}

let drawings = 0;

export function drawGantt(box, picture, looks, names) {
  const width = Math.max(200, box.clientWidth), height = picture.height + AXIS, name = `vg-x-${++drawings}`;
  const theme = looks[isDark() ? "dark" : "light"];
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of [["width", width], ["height", height], ["role", "img"], ["aria-label", picture.said]])
    svg.setAttribute(key, value);
  hatches(svg, looks, theme, name);
  const x = (at) => +(((width - RIGHT) * at) / picture.end).toFixed(1);
  const lane = picture.height / picture.lanes;
  for (const at of ticks(picture.end, Math.floor(width / 56))) {
    shape(svg, "path", { d: `M${x(at)} 0V${picture.height}`, class: "vg-x-grid" });
    shape(svg, "text", { x: x(at), y: picture.height + 15, "text-anchor": at ? "middle" : "start" })
      .textContent = `${at} s`;
  }
  for (let row = 0; row <= picture.lanes; row++)
    shape(svg, "path", { d: `M0 ${Math.min(row * lane, picture.height - 0.5) + 0.5}H${width}`, class: "vg-x-grid" });
  if (picture.outage) {
    const [start, end, tops] = picture.outage, left = x(Math.min(start, picture.end)), right = x(Math.min(end, picture.end));
    for (const top of tops)
      shape(svg, "rect", { x: left, y: top, width: right - left, height: lane, class: "vg-x-outage" }, "outage");
  }
  const paint = (bars, group, ghost) => {
    for (const [state, start, end, top, tall, title, glyph, scene] of bars) {
      const length = Math.max(state === "limited" ? 3 : 1, x(end) - x(start)), left = Math.min(x(start), width - length);
      const mark = look(theme.marks[state], state, name);
      shape(group, "rect", { x: left, y: top, width: +length.toFixed(1), height: tall, ...mark }, title);
      if (ghost || !glyph) continue;
      if (state === "succeeded" && tall > 10 && length > 7 * scene.length)
        shape(group, "text", { x: left + 4, y: top + tall / 2 + 3.5, class: "vg-x-id" }, title).prepend(scene);
      const middle = left + length / 2, y = top + tall / 2;
      if (state === "limited")
        shape(group, "path", { d: `M${middle} ${y - 5}l5 9h-10Z`, fill: "#D55E00", stroke: theme.edge }, title);
      else if (state === "failed")
        shape(group, "path", { d: `M${middle - 3} ${y - 3}l6 6m0 -6l-6 6`, stroke: "#FFFFFF", "stroke-width": 2 }, title);
      else if (state === "held") shape(group, "text", { x: middle, y: y + 4, "text-anchor": "middle" }).textContent = "?";
    }
  };
  paint(picture.ghost, shape(svg, "g", { class: isDark() ? "vg-x-ghost vg-x-dark" : "vg-x-ghost" }), true);
  paint(picture.bars, shape(svg, "g", { class: "vg-x-bars" }), false);
  for (const [start, from, end, to, title] of picture.moves) {
    const group = shape(svg, "g", { class: "vg-x-move" }, title);
    shape(group, "path", { d: `M${x(start)} ${from}L${x(end)} ${to}`, stroke: theme.move });
    shape(group, "path", { d: `M${x(end) - 3} ${to}l3 -3l3 3l-3 3Z`, fill: theme.move });
  }
  picture.done.forEach((at, place) => {
    if (at === null) return;
    const title = place ? "the last scene of the setting before was done" : "the last scene was done";
    shape(svg, "path", { d: `M${x(at)} 0V${picture.height}`, class: place ? "vg-x-end vg-x-before" : "vg-x-end" }, title);
  });
  names.forEach((each, row) => {
    shape(svg, "text", { x: 4, y: lane * (row + 1) - 4, class: "vg-x-lane" }).textContent = each;
  });
  box.replaceChildren(svg);
  return legend(picture, looks, theme, name);
}

function legend(picture, looks, theme, name) {
  const there = new Set(picture.bars.map(([state]) => state)), made = [];
  const entry = (draw, words) => {
    const item = document.createElement("span"), swatch = document.createElementNS(SVG, "svg");
    swatch.setAttribute("width", 18);
    swatch.setAttribute("height", 10);
    swatch.setAttribute("aria-hidden", "true");
    draw(swatch);
    item.append(swatch, words);
    made.push(item);
  };
  for (const state of looks.states)
    if (there.has(state))
      entry((swatch) => shape(swatch, "rect", { x: 0.5, y: 0.5, width: 17, height: 9, ...look(theme.marks[state], state, name) }),
        theme.marks[state][5]);
  if (picture.moves.length)
    entry((swatch) => shape(swatch, "path", { d: "M5 5l4 -4l4 4l-4 4Z", fill: theme.move }), "move");
  if (picture.done.length > 1)
    entry((swatch) => shape(swatch, "path", { d: "M9 0V10", class: "vg-x-end vg-x-before" }),
      `before${picture.was ? ` (${picture.was})` : ""}: pale, and its end`);
  return made;
}

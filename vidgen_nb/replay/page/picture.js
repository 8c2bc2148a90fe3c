// Draws a replay on canvases: the queue's length, the lanes, the axis. What is over is painted once, on a layer that
// is kept; a frame adds what is new to it, and paints what is under way.

const LEFT = 6; // pixels beside the plot
const RIGHT = 12;
const ROUND = [1, 2, 5, 10];
const MOVES = 20; // the latest, as in the Gantt
const DIM = 0.2;
const FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif";

/** A canvas whose units are CSS pixels. */
function fit(canvas, width, height, scale) {
  const wide = Math.max(1, Math.round(width * scale));
  const high = Math.max(1, Math.round(height * scale));
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  return pen;
}

const HATCHES = {
  "/": (pen) => (pen.moveTo(-1, 1), pen.lineTo(1, -1), pen.moveTo(0, 6), pen.lineTo(6, 0), pen.moveTo(5, 7), pen.lineTo(7, 5)),
  "\\": (pen) => (pen.moveTo(5, -1), pen.lineTo(7, 1), pen.moveTo(0, 0), pen.lineTo(6, 6), pen.moveTo(-1, 5), pen.lineTo(1, 7)),
  x: (pen) => (pen.moveTo(0, 0), pen.lineTo(6, 6), pen.moveTo(6, 0), pen.lineTo(0, 6)),
  "|": (pen) => (pen.moveTo(3, 0), pen.lineTo(3, 6)),
  "-": (pen) => (pen.moveTo(0, 3), pen.lineTo(6, 3)),
  "+": (pen) => (pen.moveTo(0, 3), pen.lineTo(6, 3), pen.moveTo(3, 0), pen.lineTo(3, 6)),
  ".": (pen) => pen.arc(3, 3, 0.9, 0, 7),
};

function hatch(mark, scale) {
  const tile = document.createElement("canvas");
  const pen = fit(tile, 6, 6, scale);
  if (mark.fill) {
    pen.fillStyle = mark.fill;
    pen.fillRect(0, 0, 6, 6);
  }
  pen.strokeStyle = pen.fillStyle = mark.ink;
  pen.lineWidth = 1.1;
  pen.beginPath();
  HATCHES[mark.pattern](pen);
  if (mark.pattern === ".") pen.fill();
  else pen.stroke();
  const pattern = pen.createPattern(tile, "repeat");
  pattern.setTransform(new DOMMatrix().scale(1 / scale));
  return pattern;
}

class Picture {
  /** `canvases`: `queue`, `lanes`, `axis`. */
  constructor(recorded, canvases) {
    this.recorded = recorded;
    this.canvases = canvases;
    this.view = [recorded.place(recorded.start), recorded.lastPlace];
    this.done = document.createElement("canvas");
    this.glyphs = document.createElement("canvas");
    this.layerKey = "";
    this.widths = new Map();
    this.width = 0;
    this.longest = Math.max(1, ...recorded.columns.queue.length);
  }

  setTheme(theme, scale) {
    this.theme = theme;
    this.scale = scale;
    this.marks = this.recorded.columns.states.map((name) => theme.marks[name]);
    this.fills = this.marks.map((mark) => (mark.pattern ? hatch(mark, scale) : mark.fill));
    this.layerKey = "";
  }

  /** `height`: of the lanes that are seen; `queueHeight`, `axisHeight`: of the strips above and below. */
  resize(width, height, queueHeight, axisHeight) {
    Object.assign(this, { width, height, queueHeight, axisHeight });
    this.layerKey = "";
  }

  x(place) {
    const [from, to] = this.view;
    return LEFT + ((place - from) / (to - from)) * (this.width - LEFT - RIGHT);
  }

  placeAt(x) {
    const [from, to] = this.view;
    return from + ((x - LEFT) / (this.width - LEFT - RIGHT)) * (to - from);
  }

  draw(state) {
    if (this.width < 40 || !this.theme) return;
    this.drawQueue(state);
    this.drawLanes(state);
    this.drawAxis(state);
  }

  // -- the lanes

  drawLanes(state) {
    const { recorded, canvases, width, height, theme } = this;
    const now = recorded.place(state.time);
    this.paintDone(state);
    const pen = fit(canvases.lanes, width, height, this.scale);
    pen.clearRect(0, 0, width, height);
    pen.drawImage(this.done, 0, 0, width, height);
    this.inPlot(pen, height, () => {
      pen.translate(0, -state.scroll);
      const { bars } = recorded;
      for (let bar = 0; bar < bars.size; bar++)
        if (bars.start[bar] <= state.time && bars.end[bar] > state.time) this.paintBar(pen, bar, now, state, true);
      this.paintMoves(pen, state);
    });
    pen.drawImage(this.glyphs, 0, 0, width, height);
    this.inPlot(pen, height, () => {
      pen.translate(0, -state.scroll);
      this.paintRing(pen, state, now);
    });
    this.paintCursor(pen, now, 0, height);
  }

  inPlot(pen, height, paint) {
    pen.save();
    pen.beginPath();
    pen.rect(0, 0, this.width, height);
    pen.clip();
    paint();
    pen.restore();
  }

  /** Bring the kept layers up to date; paint them afresh after a step back, or if anything else has changed. */
  paintDone(state) {
    const { recorded, width, height, theme } = this;
    const { bars, byEnd } = recorded;
    const key = [width, height, this.scale, state.scroll, state.selected, ...this.view].join();
    const isFresh = key !== this.layerKey || state.time < this.paintedTo;
    const pens = [this.done, this.glyphs].map((canvas) => fit(canvas, width, height, this.scale));
    if (isFresh) {
      this.layerKey = key;
      this.painted = 0;
      for (const pen of pens) pen.clearRect(0, 0, width, height);
      this.paintGround(pens[0], state);
    }
    for (const pen of pens) {
      pen.save();
      pen.translate(0, -state.scroll);
    }
    while (this.painted < bars.size && bars.end[byEnd[this.painted]] <= state.time) {
      const bar = byEnd[this.painted++];
      if (bars.to[bar] < this.view[0] || bars.from[bar] > this.view[1]) continue;
      this.paintBar(pens[0], bar, bars.to[bar], state, false);
      if (bars.glyph[bar]) this.paintGlyph(pens[1], bar, state);
    }
    for (const pen of pens) pen.restore();
    this.paintedTo = state.time;
  }

  paintGround(pen, state) {
    const { theme, recorded, width, height } = this;
    pen.fillStyle = theme.grid;
    for (const [x] of this.ticks()) pen.fillRect(x, 0, 1, height);
    for (const lane of recorded.columns.lanes) pen.fillRect(0, Math.round(lane.top - state.scroll), width, 1);
  }

  paintBar(pen, bar, until, state, isOpen) {
    const { recorded, theme } = this;
    const { bars } = recorded;
    const attempt = bars.attempt[bar];
    let kind = bars.state[bar];
    const names = recorded.columns.states;
    if (isOpen && attempt >= 0 && names[kind] !== "queued" && names[kind] !== "download") kind = names.indexOf("running");
    const mark = this.marks[kind];
    const left = this.x(bars.from[bar]);
    const wide = Math.max(names[kind] === "limited" ? 3 : 1, this.x(until) - left);
    if (left + wide < 0 || left > this.width) return;
    const high = bars.height[bar];
    const top = bars.y[bar] - high / 2;
    const scene = attempt < 0 ? -1 : recorded.attempts.scene[attempt];
    const isDim = state.selected >= 0 && scene !== state.selected && names[kind] !== "off";
    pen.globalAlpha = isDim ? DIM : 1;
    const fill = wide < 4 && mark.pattern ? (mark.fill ?? mark.ink) : this.fills[kind];
    if (fill) {
      pen.fillStyle = fill;
      pen.fillRect(left, top, wide, high);
    }
    if (mark.outline && wide >= 3 && high >= 3) {
      pen.strokeStyle = mark.outline;
      pen.lineWidth = 1;
      pen.setLineDash(mark.dashed ? [4, 3] : []);
      pen.beginPath();
      if (isOpen && names[kind] === "running") {
        pen.moveTo(left + wide, top + 0.5);
        pen.lineTo(left + 0.5, top + 0.5);
        pen.lineTo(left + 0.5, top + high - 0.5);
        pen.lineTo(left + wide, top + high - 0.5);
      } else pen.rect(left + 0.5, top + 0.5, wide - 1, high - 1);
      pen.stroke();
      pen.setLineDash([]);
    }
    if (scene >= 0 && wide >= 26 && high >= 10) this.paintName(pen, scene, left, wide, bars.y[bar], names[kind]);
    pen.globalAlpha = 1;
  }

  /** The scene's id in its bar, if there is room. */
  paintName(pen, scene, left, wide, y, kind) {
    if (kind !== "succeeded" && kind !== "running") return;
    const name = this.recorded.columns.scenes.label[scene];
    pen.font = `11px ${FONT}`;
    if (!this.widths.has(name)) this.widths.set(name, pen.measureText(name).width);
    if (this.widths.get(name) > wide - 6) return;
    pen.textBaseline = "middle";
    pen.textAlign = "center";
    if (kind === "running") {
      const half = this.widths.get(name) / 2 + 2;
      pen.fillStyle = this.marks[this.recorded.columns.states.indexOf("running")].fill;
      pen.fillRect(left + wide / 2 - half, y - 6, 2 * half, 12);
    }
    pen.fillStyle = kind === "running" ? "#06283D" : "#FFFFFF";
    pen.fillText(name, left + wide / 2, y + 0.5);
  }

  paintGlyph(pen, bar, state) {
    const { recorded, theme } = this;
    const { bars } = recorded;
    const kind = recorded.columns.states[bars.state[bar]];
    if (kind !== "limited" && kind !== "failed" && kind !== "held") return;
    const scene = recorded.attempts.scene[bars.attempt[bar]];
    const y = bars.y[bar];
    const x = (this.x(bars.from[bar]) + this.x(bars.to[bar])) / 2 + (kind === "limited" ? 1.5 : 0);
    pen.globalAlpha = state.selected >= 0 && scene !== state.selected ? DIM : 1;
    pen.beginPath();
    if (kind === "limited") {
      pen.moveTo(x, y - 5);
      pen.lineTo(x + 5, y + 4);
      pen.lineTo(x - 5, y + 4);
      pen.closePath();
      this.strokeAndFill(pen, "#D55E00", theme.glyph_edge, 1);
    } else if (kind === "failed") {
      pen.moveTo(x - 3.5, y - 3.5);
      pen.lineTo(x + 3.5, y + 3.5);
      pen.moveTo(x + 3.5, y - 3.5);
      pen.lineTo(x - 3.5, y + 3.5);
      for (const [ink, line] of [["#2B2B2B", 4.5], ["#FFFFFF", 2]]) {
        pen.strokeStyle = ink;
        pen.lineWidth = line;
        pen.stroke();
      }
    } else {
      pen.font = `bold 13px ${FONT}`;
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.fillStyle = "#D55E00";
      pen.fillText("?", x, y + 0.5);
    }
    pen.globalAlpha = 1;
  }

  strokeAndFill(pen, fill, edge, line) {
    pen.fillStyle = fill;
    pen.strokeStyle = edge;
    pen.lineWidth = line;
    pen.fill();
    pen.stroke();
  }

  paintMoves(pen, { time, selected }) {
    const { recorded } = this;
    const { from, to } = recorded.columns.moves;
    const { start, end } = recorded.attempts;
    const made = countUpTo(recorded.moveAt, time);
    const latest = Array.from({ length: Math.min(MOVES, made) }, (_, index) => made - Math.min(MOVES, made) + index);
    const chosen = (recorded.movesOf.get(selected) ?? []).filter((index) => index < made);
    for (const index of [...latest.filter((each) => !chosen.includes(each)), ...chosen]) {
      const [first, second] = [recorded.barOf.get(from[index]), recorded.barOf.get(to[index])];
      if (first === undefined || second === undefined) continue;
      const isChosen = chosen.includes(index);
      const x = this.x(recorded.place(start[to[index]]));
      const y = recorded.bars.y[second];
      pen.globalAlpha = selected >= 0 && !isChosen ? DIM : 1;
      pen.strokeStyle = this.theme.move;
      pen.lineWidth = isChosen ? 3 : 2;
      pen.beginPath();
      pen.moveTo(this.x(recorded.place(end[from[index]])), recorded.bars.y[first]);
      pen.lineTo(x, y);
      pen.stroke();
      this.paintDiamond(pen, x, y, this.theme.move);
    }
    pen.globalAlpha = 1;
  }

  paintDiamond(pen, x, y, fill) {
    pen.beginPath();
    pen.moveTo(x - 5, y);
    pen.lineTo(x, y - 5);
    pen.lineTo(x + 5, y);
    pen.lineTo(x, y + 5);
    pen.closePath();
    this.strokeAndFill(pen, fill, this.theme.glyph_edge, 1);
  }

  /** A ring around what the sentence is about. */
  paintRing(pen, { time, moment, playing }, now) {
    const { recorded } = this;
    if (playing || moment < 0) return;
    const bar = recorded.barOf.get(recorded.moments.attempt[moment]);
    if (bar === undefined || recorded.bars.start[bar] > time) return;
    const { y, height, from, to } = recorded.bars;
    const left = this.x(from[bar]);
    const wide = Math.max(6, this.x(Math.min(now, to[bar])) - left);
    pen.strokeStyle = this.theme.text;
    pen.lineWidth = 2;
    pen.strokeRect(left - 3, y[bar] - height[bar] / 2 - 2, wide + 6, height[bar] + 4);
  }

  paintCursor(pen, now, top, bottom) {
    const x = this.x(now);
    pen.fillStyle = this.theme.text;
    pen.fillRect(x - 0.75, top, 1.5, bottom - top);
  }

  // -- above and below

  drawQueue({ time }) {
    const { recorded, theme, width, queueHeight } = this;
    const pen = fit(this.canvases.queue, width, queueHeight, this.scale);
    pen.clearRect(0, 0, width, queueHeight);
    const { at, length } = recorded.queue;
    const bottom = queueHeight - 1;
    const y = (count) => bottom - ((queueHeight - 8) * count) / this.longest;
    const steps = countUpTo(at, time);
    if (steps) {
      pen.beginPath();
      pen.moveTo(this.x(recorded.place(Math.max(at[0], recorded.start))), bottom);
      let last = 0;
      for (let index = 0; index < steps; index++) {
        const x = this.x(recorded.place(Math.max(at[index], recorded.start)));
        pen.lineTo(x, y(last));
        pen.lineTo(x, y((last = length[index])));
      }
      const now = this.x(recorded.place(time));
      pen.lineTo(now, y(last));
      pen.lineTo(now, bottom);
      this.strokeAndFill(pen, theme.queue, theme.queue_line, 1);
    }
    this.paintCursor(pen, recorded.place(time), 0, queueHeight);
  }

  drawAxis({ time }) {
    const { recorded, theme, width, axisHeight } = this;
    const pen = fit(this.canvases.axis, width, axisHeight, this.scale);
    pen.clearRect(0, 0, width, axisHeight);
    pen.fillStyle = theme.muted;
    pen.fillRect(LEFT, 0, width - LEFT - RIGHT, 1);
    pen.font = `12px ${FONT}`;
    pen.textBaseline = "top";
    for (const [x, label] of this.ticks()) {
      pen.fillRect(x, 0, 1, 4);
      const half = pen.measureText(label).width / 2;
      pen.textAlign = "left";
      pen.fillText(label, Math.min(Math.max(x - half, 0), width - 2 * half), 7);
    }
    for (const [at] of recorded.columns.hands)
      if (at <= time) this.paintDiamond(pen, this.x(recorded.place(at)), 0, theme.text);
    const x = this.x(recorded.place(time));
    pen.fillStyle = theme.text;
    pen.beginPath();
    pen.moveTo(x, 0);
    pen.lineTo(x + 5, 7);
    pen.lineTo(x - 5, 7);
    pen.fill();
  }

  /** Round times with their labels, and each gap with how long it was. */
  ticks() {
    const { recorded } = this;
    const [from, to] = this.view;
    const wanted = Math.max(2, Math.floor(this.width / 90));
    const rough = recorded.seconds(to - from) / wanted;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * ROUND.find((factor) => power * factor >= rough * (1 - 1e-9));
    const gaps = recorded.columns.gaps.map(([start, stop]) => [
      this.x((recorded.place(start) + recorded.place(stop)) / 2),
      `⋯ ${duration(recorded.seconds(stop - start))}`,
    ]);
    const found = [];
    const last = recorded.seconds(recorded.timeAt(to));
    let at = Math.ceil(recorded.seconds(recorded.timeAt(from)) / step - 1e-9) * step;
    for (; at <= last * (1 + 1e-9) && found.length < 200; at += step) {
      const time = at * recorded.scale;
      const cut = recorded.cuts.find(([start, stop]) => time > start && time < stop);
      if (cut) {
        at = Math.ceil(recorded.seconds(cut[1]) / step - 1e-9) * step - step;
        continue;
      }
      const x = this.x(recorded.place(time));
      if (gaps.every(([middle]) => Math.abs(middle - x) > 70)) found.push([x, `${Number(at.toPrecision(6)).toLocaleString("en")} s`]);
    }
    return [...found, ...gaps];
  }

  // -- what lies under the mouse

  /** The bar at a point of the lanes; -1: none. */
  barAt(x, y, time) {
    const { bars } = this.recorded;
    const now = this.recorded.place(time);
    let found = -1;
    for (let bar = 0; bar < bars.size; bar++) {
      if (bars.start[bar] > time || Math.abs(bars.y[bar] - y) > bars.height[bar] / 2 + 1) continue;
      if (this.recorded.columns.states[bars.state[bar]] === "off") continue;
      const left = this.x(bars.from[bar]);
      const right = Math.max(left + 5, this.x(Math.min(now, bars.to[bar])));
      if (x >= left - 2 && x <= right + 1) found = bar;
    }
    return found;
  }
}

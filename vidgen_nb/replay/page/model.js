// What was so at a time: the columns of a recorded run, and questions to them. Nothing here touches the page.
// Times are whole numbers, `scale` to the second, as in the columns; "places" are times with the hours off cut short, as the axis has them.

const OPEN = Infinity;
const times = (column) => Float64Array.from(column, (at) => at ?? OPEN);

/** How many of the rising numbers are at most `value`. */
function countUpTo(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

class Recorded {
  constructor(columns) {
    this.columns = columns;
    const { attempts, bars, waits, moments, cooldowns, scenes } = columns;
    this.start = columns.start;
    this.end = columns.end;
    this.scale = columns.scale;
    this.cuts = columns.gaps.map(([start, stop]) => [start + columns.gap, stop]);
    this.lastPlace = this.place(this.end);
    this.attempts = { ...attempts, start: times(attempts.start), freed: times(attempts.freed), end: times(attempts.end) };
    this.bars = { ...bars, start: times(bars.start), end: times(bars.end), size: bars.start.length };
    this.bars.from = this.bars.start.map((at) => this.place(at));
    this.bars.to = this.bars.end.map((at) => this.place(at));
    this.waits = { ...waits, start: times(waits.start), end: times(waits.end) };
    const told = { ...cooldowns.told, at: times(cooldowns.told.at), until: times(cooldowns.told.until) };
    this.cooldowns = { ...cooldowns, start: times(cooldowns.start), end: times(cooldowns.end), told };
    this.moments = { ...moments, at: times(moments.at), size: moments.at.length };
    this.gauges = columns.lanes.map(({ gauge }) => ({ ...gauge, at: times(gauge.at) }));
    this.queue = { ...columns.queue, at: times(columns.queue.at) };
    this.sceneOf = new Map(scenes.id.map((id, index) => [id, index]));
    this.byEnd = Uint32Array.from(this.bars.start.keys()).sort((a, b) => this.bars.end[a] - this.bars.end[b]);
    this.barOf = new Map(); // the widest bar of each attempt
    for (let bar = 0; bar < this.bars.size; bar++) {
      const attempt = bars.attempt[bar];
      const before = this.barOf.get(attempt);
      const isWider = before === undefined || this.width(bar) > this.width(before);
      if (attempt >= 0 && columns.states[bars.state[bar]] !== "download" && isWider) this.barOf.set(attempt, bar);
    }
    this.ofScene = new Map();
    attempts.scene.forEach((scene, index) => {
      if (!this.ofScene.has(scene)) this.ofScene.set(scene, []);
      this.ofScene.get(scene).push(index);
    });
    this.moveAt = Float64Array.from(columns.moves.to, (attempt) => this.attempts.start[attempt]);
    this.movesOf = new Map();
    columns.moves.to.forEach((attempt, index) => {
      const scene = attempts.scene[attempt];
      if (!this.movesOf.has(scene)) this.movesOf.set(scene, []);
      this.movesOf.get(scene).push(index);
    });
    this.counts = Object.fromEntries(columns.kinds.map((kind, index) => [kind, moments.kind.filter((k) => k === index).length]));
  }

  width(bar) {
    return this.bars.end[bar] - this.bars.start[bar];
  }

  /** A text by its index. */
  text(index) {
    return index < 0 ? "" : this.columns.texts[index];
  }

  seconds(time) {
    return time / this.scale;
  }

  fromSeconds(seconds) {
    return Math.min(this.end, Math.max(this.start, seconds * this.scale));
  }

  // -- the axis

  place(time) {
    let cut = 0;
    for (const [from, to] of this.cuts) cut += Math.max(0, Math.min(time, to) - from);
    return time - cut;
  }

  timeAt(place) {
    let time = place;
    for (const [from, to] of this.cuts) if (time > from) time += to - from;
    return Math.min(this.end, Math.max(this.start, time));
  }

  // -- moments

  /** The latest moment up to a time; -1: none. */
  momentAt(time) {
    return countUpTo(this.moments.at, time) - 1;
  }

  /** The next moment of a kind from one on, in a direction; "any": of every kind; -1: there is none. */
  step(moment, direction, kind) {
    const wanted = this.columns.kinds.indexOf(kind);
    for (let at = moment + direction; at >= 0 && at < this.moments.size; at += direction)
      if (kind === "any" || this.moments.kind[at] === wanted) return at;
    return -1;
  }

  // -- what is so at a time

  /** How many attempts each lane runs, and in all. */
  running(time) {
    const found = this.columns.lanes.map(() => 0);
    const { start, freed, lane } = this.attempts;
    for (let index = 0; index < start.length && start[index] <= time; index++)
      if (freed[index] > time && lane[index] >= 0) found[lane[index]]++;
    return found;
  }

  /** The scenes that wait: the first `most` in the queue's order, and how many in all. */
  waiting(time, most) {
    const { start, end } = this.waits;
    const first = [];
    let count = 0;
    for (let index = 0; index < start.length; index++) {
      if (start[index] > time || end[index] <= time) continue;
      if (count++ < most) first.push(index);
    }
    return { first, count };
  }

  /** How long each lane rests as it is known now (Infinity: no end; 0: it does not rest), and whether it is out. */
  resting(time) {
    const found = this.columns.lanes.map(() => ({ left: 0, out: false, reason: -1 }));
    const { start, end, lane, out, reason } = this.cooldowns;
    for (let index = 0; index < start.length; index++) {
      if (start[index] > time || end[index] <= time) continue;
      const one = found[lane[index]];
      const until = this.toldEnd(lane[index], start[index], time) ?? end[index];
      one.left = Math.max(one.left, until - time, 1 / this.scale);
      one.out ||= Boolean(out[index]);
      one.reason = reason[index];
    }
    return found;
  }

  /** Until when a lane was to cool, by what had been decided since a time: a hand may end that earlier. */
  toldEnd(lane, since, time) {
    const { told } = this.cooldowns;
    let found;
    for (let index = 0; index < told.at.length && told.at[index] <= time; index++)
      if (told.lane[index] === lane && told.at[index] >= since) found = Math.max(found ?? 0, told.until[index]);
    return found;
  }

  /** How many attempts a lane may run at once: null: any number; 0: it gets nothing new. */
  room(lane, time) {
    let room = 0;
    for (const [at, size] of this.columns.lanes[lane].rooms) if (at <= time) room = size;
    return room;
  }

  /** A lane's limit: how many submits it would admit (null: it has no such number), of how many, and in words; null: it is not known. */
  gauge(lane, time) {
    const { at, level, words } = this.gauges[lane];
    let known = null;
    for (const each of words) if (each[0] <= time) known = each;
    if (!known) return null;
    const [, size, limit, source] = known;
    const last = countUpTo(at, time) - 1;
    if (last < 0) return { level: null, size, limit, source };
    const share = last + 1 < at.length ? (time - at[last]) / (at[last + 1] - at[last]) : 0;
    return { level: level[last] + (share ? share * (level[last + 1] - level[last]) : 0), size, limit, source };
  }

  /** A scene's attempts that have begun. */
  triesOf(scene, time) {
    return (this.ofScene.get(scene) ?? []).filter((index) => this.attempts.start[index] <= time);
  }

  /** An attempt's outcome, as far as it is known by then; null: it runs. */
  outcome(attempt, time) {
    const { end, outcome } = this.attempts;
    return end[attempt] <= time && outcome[attempt] >= 0 ? this.columns.outcomes[outcome[attempt]] : null;
  }

  /** A scene's path over the accounts, such as `alice✕429→chiara✓`. */
  trail(scene, time) {
    return this.triesOf(scene, time)
      .map((attempt) => `${this.laneName(attempt)}${this.outcome(attempt, time)?.mark ?? "…"}`)
      .join("→");
  }

  laneName(attempt) {
    return this.columns.lanes[this.attempts.lane[attempt]]?.label ?? "another account";
  }
}

/** A number with one decimal. */
const tenths = (value) => value.toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** Seconds in words: `12.3 s`, `5 min 07 s`, `1 h 02 min`. */
function duration(seconds) {
  if (!Number.isFinite(seconds)) return "no end known";
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const [size, name, part, less] = seconds < 3600 ? [60, "min", 1, "s"] : seconds < 86400 ? [3600, "h", 60, "min"] : [86400, "d", 3600, "h"];
  const whole = Math.round(seconds);
  return `${Math.floor(whole / size)} ${name} ${String(Math.floor((whole % size) / part)).padStart(2, "0")} ${less}`;
}

/** Return the columns that a kernel or a file has compressed. */
async function unpack(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

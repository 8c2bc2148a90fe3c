// The one clock of a replay, whatever number of views shows it: time, speed, playing, the selected scene, the moment.

const SMALL_STEPS = 200; // of the arrow keys

const roundUp = (value) => {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 5, 10].find((factor) => power * factor >= value * (1 - 1e-9));
};

class Player {
  constructor(recorded) {
    this.recorded = recorded;
    this.time = recorded.start;
    this.moment = -1; // before everything that happens at the start
    this.playing = false;
    this.selected = -1;
    this.kind = "any";
    this.speed = recorded.columns.speed;
    this.views = new Set();
    this.onChange = () => {}; // for a kernel, which is no view: without one that is seen, nothing plays
    this.frame = 0;
    this.before = 0;
  }

  /** What a press of an arrow key adds, in columns' time. */
  get smallStep() {
    const { recorded } = this;
    return roundUp(recorded.seconds(recorded.lastPlace - recorded.start) / SMALL_STEPS) * recorded.scale;
  }

  /** Tell the views: `spoken`, if a screen reader should say it. */
  changed(spoken = false) {
    for (const view of this.views) view(spoken);
    this.onChange();
  }

  seek(time, { moment, spoken = true } = {}) {
    const { recorded } = this;
    this.time = Math.min(recorded.end, Math.max(recorded.start, time));
    this.moment = moment ?? recorded.momentAt(this.time);
    this.changed(spoken);
  }

  /** Go to before everything that happened. */
  rewind() {
    this.seek(this.recorded.start, { moment: -1 });
  }

  /** Go on by some of the axis: hours off are no wider there than they are drawn. */
  move(places, options) {
    this.seek(this.recorded.timeAt(this.recorded.place(this.time) + places), options);
  }

  /** Go to the next or previous moment of a kind, and stay there. */
  step(direction, kind = this.kind) {
    this.kind = kind;
    const found = this.recorded.step(this.moment, direction, kind);
    this.setPlaying(false);
    if (found >= 0) this.seek(this.recorded.moments.at[found], { moment: found });
    else this.changed();
    return found >= 0;
  }

  setPlaying(playing) {
    if (playing === this.playing) return;
    this.playing = playing;
    if (playing && this.time >= this.recorded.end) this.rewind();
    this.resume();
    this.changed(!playing);
  }

  /** Let the clock run if it should, and somebody looks. */
  resume() {
    cancelAnimationFrame(this.frame);
    if (!this.playing || !this.views.size) return;
    this.before = performance.now();
    this.frame = requestAnimationFrame((now) => this.tick(now));
  }

  /** Show this to one more view; return what takes it away again. */
  watch(view) {
    this.views.add(view);
    this.resume();
    return () => this.views.delete(view);
  }

  tick(now) {
    if (!this.playing) return;
    const { recorded } = this;
    const passed = Math.min(0.25, Math.max(0, (now - this.before) / 1000)); // a hidden page stands still
    this.before = now;
    this.move(passed * this.speed * recorded.scale, { spoken: false });
    if (this.time >= recorded.end) this.setPlaying(false);
    else if (this.views.size) this.frame = requestAnimationFrame((then) => this.tick(then));
  }

  setSpeed(speed) {
    this.speed = speed;
    this.changed();
  }

  select(scene) {
    if (scene === this.selected) return;
    this.selected = scene;
    this.changed(true);
  }
}

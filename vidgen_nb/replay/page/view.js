// What a person sees and presses: controls, the sentence, lanes, queue. It reads a player and tells it what was pressed.

const STEPS = [
  ["any", "event"],
  ["429", "429"],
  ["move", "move"],
  ["cooldown", "cooldown's end"],
  ["failure", "failure"],
];
const QUEUE_ROWS = 12;
const QUEUE_HEIGHT = 38;
const AXIS_HEIGHT = 24;
const MAX_LANES_HEIGHT = 430;
const ZOOMS = [1, 2, 4, 8, 16, 32, 64];
const WORDS_EACH = 200; // milliseconds between two changes of text while it plays: nobody reads faster

function button(parent, className, name, text, press) {
  const made = element(parent, "button", `vgr-button ${className}`, text);
  made.type = "button";
  made.title = name;
  made.setAttribute("aria-label", name.replace(/ \(.*\)$/, ""));
  made.addEventListener("click", (event) => {
    press(event);
    if (event.detail) made.closest(".vg-replay")?.focus({ preventScroll: true }); // so that Space plays after a click
  });
  return made;
}

class View {
  /** `everywhere`: keys count wherever the focus is; else only within the replay. */
  constructor(root, player, { everywhere = false } = {}) {
    this.root = root;
    this.player = player;
    this.recorded = player.recorded;
    this.zoom = 0;
    this.wordsAt = -Infinity;
    root.classList.add("vg-replay");
    root.tabIndex = 0;
    root.setAttribute("role", "group");
    root.setAttribute("aria-label", `Replay of ${this.recorded.columns.title}`);
    root.dataset.lmSuppressShortcuts = "true"; // JupyterLab's own keys would delete cells
    this.makeControls();
    this.makeSteps();
    this.makeChart();
    this.makeBelow();
    this.spoken = element(root, "div", "vgr-spoken");
    this.spoken.setAttribute("aria-live", "polite");
    this.cleanUp = [this.player.watch((spoken) => this.update(spoken)), this.listen(everywhere), this.followTheme(), this.followSize()];
    this.update(false);
  }

  destroy() {
    for (const each of this.cleanUp) each();
  }

  // -- what is there

  makeControls() {
    const { player, recorded } = this;
    const bar = element(this.root, "div", "vgr-bar");
    button(bar, "vgr-back", "To the start (Home)", "", () => player.rewind());
    this.play = button(bar, "vgr-play", "Play (Space)", "", () => player.setPlaying(!player.playing));
    this.slider = element(bar, "input", "vgr-slider");
    Object.assign(this.slider, { type: "range", min: recorded.place(recorded.start), max: recorded.lastPlace, step: "any" });
    this.slider.setAttribute("aria-label", "Time of the run");
    this.slider.addEventListener("input", () => player.seek(recorded.timeAt(Number(this.slider.value)), { spoken: false }));
    this.slider.addEventListener("change", () => player.changed(true));
    this.clock = element(bar, "span", "vgr-clock");
    const speed = element(bar, "label", "vgr-speed", "Speed ");
    this.speed = element(speed, "select");
    this.speed.title = "Seconds of the run per second";
    this.speed.addEventListener("change", () => player.setSpeed(Number(this.speed.value)));
  }

  makeSteps() {
    const { player, recorded } = this;
    const bar = element(this.root, "div", "vgr-steps");
    this.steps = STEPS.map(([kind, name]) => {
      const group = element(bar, "span", "vgr-step");
      const count = kind === "any" ? recorded.moments.size : recorded.counts[kind];
      const previous = button(group, "vgr-back", `Previous ${name}`, "", () => player.step(-1, kind));
      element(group, "span", "vgr-step-name", `${name} `).append(Object.assign(document.createElement("b"), { textContent: count.toLocaleString("en") }));
      const next = button(group, "vgr-on", `Next ${name}`, "", () => player.step(1, kind));
      return { kind, group, previous, next };
    });
    const rest = element(bar, "span", "vgr-rest");
    const zoom = element(rest, "span", "vgr-zoom");
    this.closer = button(zoom, "", "Show less time, wider (+)", "+", () => this.setZoom(this.zoom + 1));
    this.wider = button(zoom, "", "Show more time (−)", "−", () => this.setZoom(this.zoom - 1));
    const pick = element(rest, "label", "vgr-pick", "Scene ");
    this.pick = element(pick, "input");
    Object.assign(this.pick, { type: "text", placeholder: "none", spellcheck: false, autocomplete: "off" });
    this.pick.title = "A scene's id: its path is lit, other scenes are pale";
    this.names = element(pick, "datalist");
    this.names.id = `vgr-${Math.random().toString(36).slice(2)}`;
    this.pick.setAttribute("list", this.names.id);
    this.pick.addEventListener("focus", () => this.offerScenes(), { once: true });
    this.pick.addEventListener("change", () => {
      const scene = recorded.sceneOf.get(this.pick.value.trim());
      this.pick.setCustomValidity(scene === undefined && this.pick.value.trim() ? "no scene of this run" : "");
      if (scene !== undefined || !this.pick.value.trim()) player.select(scene ?? -1);
    });
  }

  offerScenes() {
    const names = this.recorded.columns.scenes.id.map((id) => Object.assign(document.createElement("option"), { value: id }));
    this.names.append(...names);
  }

  makeChart() {
    const { recorded } = this;
    this.said = element(this.root, "div", "vgr-said");
    this.sentence = element(this.said, "span", "vgr-sentence");
    const main = element(this.root, "div", "vgr-main");
    const chart = element(main, "div", "vgr-chart");
    this.waiting = element(chart, "div", "vgr-waiting");
    const queue = element(chart, "canvas", "vgr-queue-canvas");
    this.scroller = element(chart, "div", "vgr-scroller");
    this.scroller.tabIndex = -1;
    const inner = element(this.scroller, "div", "vgr-inner");
    inner.style.height = `${recorded.columns.height}px`;
    const labels = element(inner, "div", "vgr-labels");
    this.lanes = new Lanes(labels, recorded);
    const plot = element(inner, "div", "vgr-plot");
    this.canvas = element(plot, "canvas", "vgr-lanes-canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", recorded.columns.summary.join(" "));
    element(chart, "div", "vgr-corner");
    const axis = element(chart, "canvas", "vgr-axis-canvas");
    this.plot = plot;
    this.axis = axis;
    this.picture = new Picture(recorded, { queue, lanes: this.canvas, axis });
    this.side = element(main, "div", "vgr-side");
    this.sideHead = element(this.side, "div", "vgr-side-head", "Queue");
    this.queue = element(this.side, "ol", "vgr-queue");
    this.more = element(this.side, "div", "vgr-more");
    this.tip = element(this.root, "div", "vgr-tip");
    this.tip.hidden = true;
    this.scroller.addEventListener("scroll", () => this.draw());
  }

  makeBelow() {
    const { columns } = this.recorded;
    this.path = element(this.root, "div", "vgr-path");
    const legend = element(this.root, "div", "vgr-legend");
    const used = new Set(columns.bars.state);
    used.add(columns.states.indexOf("running"));
    this.legend = columns.states
      .map((name, index) => [name, index])
      .filter(([, index]) => used.has(index))
      .map(([name]) => {
        const one = element(legend, "span");
        const box = element(one, "canvas");
        one.append(columns.themes.light.marks[name].label);
        return [name, box];
      });
    if (columns.moves.to.length) element(element(legend, "span"), "i", "vgr-move").after("◆ move");
    for (const note of columns.notes) element(this.root, "div", "vgr-note", note);
  }

  // -- what it shows

  update(spoken) {
    const { player, recorded } = this;
    change(this.slider, "value", String(recorded.place(player.time)));
    change(this.clock, "textContent", this.timeWords());
    const now = performance.now();
    if (!player.playing || now - this.wordsAt > WORDS_EACH) {
      this.wordsAt = now;
      this.updateWords();
    }
    this.follow();
    this.draw();
    if (spoken) this.spoken.textContent = `${this.timeWords()}. ${this.sentence.textContent}`;
  }

  timeWords() {
    const { player, recorded } = this;
    return `${tenths(recorded.seconds(player.time))} s of ${tenths(recorded.seconds(recorded.end))} s`;
  }

  updateWords() {
    const { player, recorded } = this;
    this.slider.setAttribute("aria-valuetext", this.timeWords());
    this.play.classList.toggle("vgr-playing", player.playing);
    change(this.play, "title", player.playing ? "Pause (Space)" : "Play (Space)");
    this.play.setAttribute("aria-label", player.playing ? "Pause" : "Play");
    this.updateSpeed();
    for (const { kind, group, previous, next } of this.steps) {
      group.classList.toggle("vgr-chosen", kind === player.kind);
      group.title = kind === player.kind ? "Keys: [ and ]" : "";
      change(previous, "disabled", recorded.step(player.moment, -1, kind) < 0);
      change(next, "disabled", recorded.step(player.moment, 1, kind) < 0);
    }
    const said = player.moment < 0 ? recorded.columns.summary[0] ?? "" : recorded.text(recorded.moments.text[player.moment]);
    if (this.sentence.textContent !== said) {
      this.sentence.textContent = said;
      this.sentenceWidth = this.sentence.offsetWidth;
    }
    this.sentence.dataset.kind = player.moment < 0 ? "" : recorded.columns.kinds[recorded.moments.kind[player.moment]];
    this.updateQueue();
    this.updatePath();
  }

  updateSpeed() {
    const { speed } = this.player;
    if (Number(this.speed.value) === speed && this.speed.options.length) return;
    const speeds = [...new Set([...this.recorded.columns.speeds, speed])].sort((a, b) => a - b);
    this.speed.replaceChildren(
      ...speeds.map((each) => Object.assign(document.createElement("option"), { value: each, textContent: `${each}×`, selected: each === speed })),
    );
  }

  updateQueue() {
    const { player, recorded } = this;
    const { first, count } = recorded.waiting(player.time, QUEUE_ROWS);
    change(this.waiting, "textContent", `${count.toLocaleString("en")} waiting`);
    change(this.sideHead, "textContent", count ? `Queue: ${count.toLocaleString("en")} waiting` : "Queue: nobody waits");
    change(this.more, "textContent", count > first.length ? `+ ${(count - first.length).toLocaleString("en")} more` : "");
    const key = `${first.join()} ${player.selected}`;
    if (key === this.queueKey) return;
    this.queueKey = key;
    const focused = this.queue.contains(document.activeElement);
    this.queue.replaceChildren(
      ...first.map((wait) => {
        const item = document.createElement("li");
        const scene = recorded.waits.scene[wait];
        const name = recorded.columns.scenes.label[scene];
        const press = button(item, "vgr-waits", `Select ${name}`, name, () => player.select(scene === player.selected ? -1 : scene));
        press.setAttribute("aria-pressed", scene === player.selected);
        const note = recorded.text(recorded.waits.note[wait]);
        if (note) element(item, "span", "vgr-waits-note", note);
        return item;
      }),
    );
    if (focused) this.root.focus({ preventScroll: true });
  }

  updatePath() {
    const { player, recorded } = this;
    const { selected, time } = player;
    const id = selected < 0 ? "" : recorded.columns.scenes.id[selected];
    if (document.activeElement !== this.pick) change(this.pick, "value", id);
    if (selected < 0) {
      change(this.path, "textContent", "Click a bar to follow its scene. Keys: Space plays, ← → move the time, [ ] step, Home End, Esc.");
      return;
    }
    const prompt = recorded.text(recorded.columns.scenes.prompt[selected]);
    const trail = recorded.trail(selected, time) || "has not started yet";
    change(this.path, "textContent", `${recorded.columns.scenes.label[selected]}${prompt ? ` “${prompt}”` : ""}: ${trail}`);
  }

  // -- what part of the time

  setZoom(zoom) {
    this.zoom = Math.min(ZOOMS.length - 1, Math.max(0, zoom));
    this.follow();
    this.draw();
  }

  /** Turn the page when the time leaves what is shown. */
  follow() {
    const { recorded, player, picture } = this;
    const first = recorded.place(recorded.start);
    const span = (recorded.lastPlace - first) / ZOOMS[this.zoom];
    const now = recorded.place(player.time);
    const [from, to] = picture.view;
    if (this.pageSpan === span && now >= from && now <= to) return;
    const before = this.pageSpan === span && now < from ? 0.9 : 0.1; // of a page, before the cursor
    const begin = Math.min(Math.max(first, now - before * span), recorded.lastPlace - span);
    this.pageSpan = span;
    picture.view = this.zoom ? [begin, begin + span] : [first, recorded.lastPlace];
    this.closer.disabled = this.zoom === ZOOMS.length - 1;
    this.wider.disabled = this.zoom === 0;
  }

  draw() {
    const { player, picture, scroller } = this;
    const { time, moment, playing, selected } = player;
    picture.draw({ time, moment, playing, selected, scroll: scroller.scrollTop });
    this.lanes.update(time, scroller.scrollTop, scroller.scrollTop + scroller.clientHeight);
    this.placeSentence();
  }

  /** The sentence stands beside the cursor: it begins there, or ends there where that has more room. */
  placeSentence() {
    const { player, picture, recorded } = this;
    const offset = this.plot.offsetLeft;
    const x = offset + picture.x(recorded.place(player.time));
    const isLeft = x > offset + picture.width / 2;
    const room = this.root.clientWidth - 16 - this.sentenceWidth;
    this.sentence.style.left = `${Math.max(0, Math.min(room, isLeft ? x - this.sentenceWidth : x))}px`;
    this.sentence.classList.toggle("vgr-left", isLeft);
  }

  // -- size and colours

  followSize() {
    const measure = () => {
      if (this.picture.scale !== (globalThis.devicePixelRatio || 1) && this.themeName) {
        const name = this.themeName; // the window has moved to another screen
        this.themeName = undefined;
        this.setTheme(name);
      }
      const height = Math.min(this.recorded.columns.height, MAX_LANES_HEIGHT);
      this.scroller.style.height = `${height + 1}px`;
      const width = this.plot.clientWidth;
      if (!width) return;
      this.picture.resize(width, height, QUEUE_HEIGHT, AXIS_HEIGHT);
      this.sentenceWidth = this.sentence.offsetWidth;
      this.draw();
    };
    const observer = new ResizeObserver(measure);
    observer.observe(this.plot);
    measure();
    return () => observer.disconnect();
  }

  followTheme() {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const apply = () => this.setTheme(this.chosenTheme ?? hostTheme() ?? (dark.matches ? "dark" : "light"));
    const observer = new MutationObserver(apply);
    observer.observe(document.body, { attributes: true, attributeFilter: ["class", "data-jp-theme-light", "data-vscode-theme-kind"] });
    dark.addEventListener("change", apply);
    this.applyTheme = apply;
    apply();
    return () => {
      observer.disconnect();
      dark.removeEventListener("change", apply);
    };
  }

  setTheme(name) {
    const theme = this.recorded.columns.themes[name];
    const scale = globalThis.devicePixelRatio || 1;
    if (name !== this.themeName) {
      this.themeName = name;
      this.root.dataset.theme = name;
      this.picture.setTheme(theme, scale);
      for (const [state, box] of this.legend) {
        const mark = theme.marks[state];
        const pen = fit(box, 20, 12, scale);
        pen.clearRect(0, 0, 20, 12);
        pen.fillStyle = mark.pattern ? hatch(mark, scale) : (mark.fill ?? "transparent");
        pen.fillRect(0, 0, 20, 12);
        if (mark.outline) {
          pen.strokeStyle = mark.outline;
          pen.setLineDash(mark.dashed ? [4, 3] : []);
          pen.strokeRect(0.5, 0.5, 19, 11);
        }
      }
    }
    this.draw();
  }

  // -- what a hand does

  listen(everywhere) {
    const { player } = this;
    const onKey = (event) => {
      const { target } = event;
      const inside = this.root.contains(target);
      if ((!inside && !everywhere) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (this.press(event, target)) {
        event.preventDefault();
        event.stopPropagation();
      }
    };
    window.addEventListener("keydown", onKey, true); // JupyterLab takes keys for itself, on the document
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", () => (this.tip.hidden = true));
    this.canvas.addEventListener("click", (event) => this.click(event));
    this.axis.addEventListener("pointerdown", (event) => this.drag(event));
    this.axis.addEventListener("pointermove", (event) => event.buttons && this.drag(event));
    this.root.addEventListener("pointerdown", (event) => {
      if (!event.target.closest("input, select, button")) this.root.focus({ preventScroll: true });
    });
    return () => window.removeEventListener("keydown", onKey, true);
  }

  /** Do what a key says; return whether it says anything. */
  press(event, target) {
    const { player } = this;
    const { key } = event;
    const tag = target.tagName;
    if (tag === "TEXTAREA" || target.isContentEditable || (tag === "INPUT" && target.type !== "range")) return false;
    const steps = { "[": -1, "]": 1 };
    if (key in steps) return player.step(steps[key]), true;
    if (key === "Escape") return player.selected >= 0 && (player.select(-1), true);
    if (tag === "SELECT") return false;
    if (key === " ") return tag !== "BUTTON" && (player.setPlaying(!player.playing), true);
    const moves = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10 };
    if (key in moves && (tag === "INPUT" || key.startsWith("Arrow"))) {
      const places = moves[key] * player.smallStep * (event.shiftKey ? 10 : 1);
      return player.move(places), true;
    }
    if (key === "Home") return player.rewind(), true;
    if (key === "End") return player.seek(this.recorded.end), true;
    if (key === "+" || key === "=") return this.setZoom(this.zoom + 1), true;
    if (key === "-") return this.setZoom(this.zoom - 1), true;
    return false;
  }

  barUnder(event) {
    const y = event.offsetY + this.scroller.scrollTop;
    return this.picture.barAt(event.offsetX, y, this.player.time);
  }

  click(event) {
    const { player, recorded } = this;
    const attempt = recorded.bars.attempt[this.barUnder(event)] ?? -1;
    if (attempt >= 0) player.select(recorded.attempts.scene[attempt]);
    else if (player.selected >= 0) player.select(-1);
    else player.seek(recorded.timeAt(this.picture.placeAt(event.offsetX)));
  }

  drag(event) {
    this.axis.setPointerCapture(event.pointerId);
    this.player.seek(this.recorded.timeAt(this.picture.placeAt(event.offsetX)), { spoken: false });
  }

  point(event) {
    const bar = this.barUnder(event);
    this.canvas.style.cursor = bar >= 0 && this.recorded.bars.attempt[bar] >= 0 ? "pointer" : "default";
    this.tip.hidden = bar < 0;
    if (bar < 0) return;
    change(this.tip, "textContent", this.tipOf(bar));
    const box = this.root.getBoundingClientRect();
    const left = Math.min(event.clientX - box.left + 12, box.width - this.tip.offsetWidth - 4);
    this.tip.style.left = `${Math.max(0, left)}px`;
    this.tip.style.top = `${event.clientY - box.top + 16}px`;
  }

  tipOf(bar) {
    const { recorded, player } = this;
    const { bars, attempts, columns } = recorded;
    const attempt = bars.attempt[bar];
    const from = tenths(recorded.seconds(bars.start[bar]));
    if (attempt < 0) return `${columns.themes.light.marks[columns.states[bars.state[bar]]].label}, from ${from} s`;
    const outcome = recorded.outcome(attempt, player.time);
    const stop = Math.min(player.time, attempts.end[attempt]);
    const took = duration(recorded.seconds(stop - attempts.start[attempt]));
    const reason = outcome ? recorded.text(attempts.reason[attempt]) : "";
    return [
      `${columns.scenes.label[attempts.scene[attempt]]} on ${recorded.laneName(attempt)}, try ${attempts.number[attempt]}`,
      `started at ${tenths(recorded.seconds(attempts.start[attempt]))} s, ${outcome ? "took" : "running for"} ${took}`,
      `${outcome?.words ?? ""}${reason ? `: ${reason}` : ""}`,
    ].filter(Boolean).join("\n");
  }
}

/** `light` or `dark` as the notebook around it has it; undefined: it does not say. */
function hostTheme() {
  const { dataset, classList } = document.body;
  if (dataset.jpThemeLight) return dataset.jpThemeLight === "true" ? "light" : "dark";
  if (dataset.vscodeThemeKind) return dataset.vscodeThemeKind.includes("light") ? "light" : "dark";
  return classList.contains("theme-dark") ? "dark" : classList.contains("theme-light") ? "light" : undefined;
}

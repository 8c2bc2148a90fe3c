// The explorer's page: controls that send their changes, the newest ones only, and what comes back. gantt.js, which
// stands above this in one module, draws the chart. form.py says which control has which id.

const GESTURE_MS = 1000; // changes of one control that follow each other faster are one gesture, with one ghost
const SETTLED_MS = 120; // after this, the page asks for what takes longer than the run itself
const BLANK = new Set(["slots"]); // may have no value

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes))
    if (key === "class") made.className = value;
    else if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  made.append(...children);
  return made;
}

// -- talking to the kernel: one message is under way at a time, and the next one has all that was changed meanwhile

class Line {
  constructor(model) {
    this.model = model;
    this.id = Math.random().toString(36).slice(2);
    this.views = new Set();
    this.pending = new Map(); // what was changed, and is not accepted yet
    this.errors = {};
    this.number = this.gesture = 0;
    this.isFlying = this.isDirty = false;
    model.on("change:answer", () => this.answered());
  }

  set(control, value) {
    const now = performance.now();
    if (control !== this.last || now - this.lastAt > GESTURE_MS) this.gesture += 1;
    Object.assign(this, { last: control, lastAt: now, isDirty: true });
    this.pending.delete(control);
    this.pending.set(control, value);
    this.push();
  }

  push() {
    if (this.isFlying || !this.isDirty) return;
    Object.assign(this, { isFlying: true, isDirty: false, sent: new Map(this.pending), number: this.number + 1 });
    this.model.send({ change: [...this.sent], number: this.name(this.number), gesture: this.name(this.gesture) });
  }

  name(number) {
    return `${this.id} ${number}`; // another page may show the same explorer
  }

  answered() {
    const { number, errors } = this.model.get("answer");
    if (number === null) {
      // a cell has set the state: what was typed is gone
      this.pending.clear();
      Object.assign(this, { errors: {}, isDirty: false, isFlying: false });
    } else if (this.isFlying && number === this.name(this.number)) {
      this.isFlying = false;
      this.errors = errors;
      for (const [control, value] of this.sent)
        if (!(control in errors) && this.pending.get(control) === value) this.pending.delete(control);
    }
    for (const view of this.views) view.update();
    if (this.isDirty) this.push();
    else this.settle();
  }

  settle() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (!this.isFlying) this.model.send({ settle: this.model.get("answer").serial });
    }, SETTLED_MS);
  }
}

const lines = new WeakMap();
const lineOf = (model) => lines.get(model) ?? lines.set(model, new Line(model)).get(model);

// -- controls

class Form {
  constructor(line) {
    this.line = line;
    this.fields = new Map();
  }

  field(control, words, name, inputs, more = "") {
    const error = element("span", { class: "vg-x-error", role: "alert", id: `${this.line.id}-${control}-${++drawings}` });
    const box = element("div", { class: `vg-x-field ${more}`, "data-control": control },
      element("span", { class: "vg-x-words", "aria-hidden": "true" }, words), ...inputs, error);
    for (const input of inputs) input.setAttribute("aria-label", input.type === "range" ? `${name}, slider` : name);
    const found = this.fields.get(control) ?? this.fields.set(control, []).get(control);
    found.push({ box, inputs, error });
    return box;
  }

  number(control, words, name, { min = 0, max = 100, step = 1, slider = true, tip = name } = {}) {
    const typed = element("input", { type: "number", min, step: "any", title: tip });
    const slid = element("input", { type: "range", min, max, step, title: tip });
    if (BLANK.has(control.split("@")[0])) typed.placeholder = "∞";
    typed.oninput = () => {
      const blank = typed.value === "" && !typed.validity.badInput;
      if (!blank || BLANK.has(control.split("@")[0])) this.line.set(control, blank ? null : Number(typed.value));
      else this.line.set(control, "");
      if (!blank) slid.value = typed.value;
    };
    slid.oninput = () => {
      typed.value = slid.value;
      this.line.set(control, Number(slid.value));
    };
    return this.field(control, words, name, slider ? [typed, slid] : [typed]);
  }

  select(control, words, name, choices, more = "") {
    const made = element("select", { title: name });
    for (const [value, text] of choices) made.append(element("option", { value }, text));
    made.onchange = () => this.line.set(control, made.value);
    return this.field(control, words, name, [made], more);
  }

  check(control, words, name = words) {
    const made = element("input", { type: "checkbox", title: name });
    made.onchange = () => this.line.set(control, made.checked);
    const box = this.field(control, words, name, [made], "vg-x-check");
    box.querySelector(".vg-x-words").onclick = () => made.disabled || made.click();
    return box;
  }

  update({ values, hints }) {
    const { pending, errors } = this.line;
    for (const [control, fields] of this.fields) {
      const value = pending.has(control) ? pending.get(control) : values[control];
      const isOff = value === null && !BLANK.has(control.split("@")[0]) && !pending.has(control);
      for (const { box, inputs, error } of fields) {
        box.classList.toggle("vg-x-off", isOff);
        error.textContent = errors[control] ?? hints[control] ?? "";
        error.classList.toggle("vg-x-hint", !(control in errors));
        for (const input of inputs) {
          input.disabled = isOff;
          input.toggleAttribute("aria-invalid", control in errors);
          if (error.textContent) input.setAttribute("aria-describedby", error.id);
          else input.removeAttribute("aria-describedby");
          if (input.type === "checkbox") input.checked = Boolean(value);
          else if (input.type === "range") {
            if (value > Number(input.max)) input.max = 2 * value;
            input.value = value ?? input.max;
          }
          else if (input.type !== "number") {
            input.value = value ?? "";
            input.title = `${input.ariaLabel}: ${input.selectedOptions[0]?.text ?? ""}`;
          }
          else if (!(pending.has(control) && document.activeElement === input)) input.value = value ?? "";
          else if (Number(input.value) !== value && value !== "" && value !== null) input.value = value;
        }
      }
    }
  }
}

function controls(form, choices, accounts) {
  const { number, select, check } = ["number", "select", "check"].reduce(
    (found, name) => ({ ...found, [name]: form[name].bind(form) }), {});
  const top = element("div", { class: "vg-x-top", role: "group", "aria-label": "Setting" },
    number("scenes", "scenes", "Scenes", { min: 1, max: 120 }),
    select("arrivals", "they come", "When scenes come", choices.arrivals),
    number("rate", "a minute", "Scenes a minute", { min: 1, max: 60 }),
    select("order", "order", "Order of the queue", choices.order),
    select("mode", "mode", "Mode", choices.mode),
    select("policy", "after a 429", "How to react to a 429", choices.policy),
    number("cooldown", "rest (s)", "How long to rest after a 429, in seconds", { min: 0, max: 120 }),
    element("div", { class: "vg-x-checks" },
      check("honour", "as long as asked", "Rest as long as the server asks (Retry-After)"),
      check("retry_after", "429s tell the wait", "Refusals tell how long to wait (Retry-After)")),
    number("latency", "latency (s)", "Latency of each call, in seconds", { min: 0, max: 10, step: 0.5 }),
    number("seed", "seed", "Seed of all that is random", { slider: false }),
    element("div", { class: "vg-x-group" },
      check("outage", "outage", "An outage: submits fail"),
      number("outage_start", "from (s)", "The outage's start, in seconds", { max: 300 }),
      number("outage_length", "for (s)", "The outage's length, in seconds", { min: 1, max: 120 }),
      select("outage_on", "of", "Which accounts the outage hits", choices.outage_on)));
  const lanes = accounts.map((name, place) =>
    element("fieldset", { class: "vg-x-account", "aria-label": `Account ${name}` },
      element("div", { class: "vg-x-line" },
        check(`on@${place}`, name, `${name}: in use`),
        select(`limit@${place}`, "", `${name}: kind of limit`, choices[`limit@${place}`]),
        select(`service@${place}`, "", `${name}: service times`, choices[`service@${place}`])),
      element("div", { class: "vg-x-line" },
        number(`n@${place}`, "n", `${name}: n, how many the limit admits`, { min: 1, max: 40 }),
        number(`per@${place}`, "per (s)", `${name}: per, the limit's period in seconds`, { min: 1, max: 120 }),
        number(`mean@${place}`, "service (s)", `${name}: mean service time in seconds`, { min: 1, max: 90 }),
        number(`spread@${place}`, "± (%)", `${name}: spread of the service times in percent of the mean`, { max: 150 }),
        number(`slots@${place}`, "slots", `${name}: slots, jobs at once; blank: no bound`, { min: 1, max: 12 }))));
  return [top, lanes];
}

// -- the whole

function tile({ name, value, difference, better, meaning, stale }) {
  const tone = better === null ? "" : better ? " vg-x-better" : " vg-x-worse";
  return element("div", { class: stale ? "vg-x-tile vg-x-stale" : "vg-x-tile", title: meaning },
    element("span", {}, name), element("b", {}, value), element("small", { class: `vg-x-apart${tone}` }, difference));
}

function render({ model, el }) {
  const line = lineOf(model), form = new Form(line);
  const root = element("div", { class: "vg-explorer" });
  const box = element("div", { class: "vg-x-plot" }), legend = element("div", { class: "vg-x-legend" });
  const tiles = element("div", { class: "vg-x-tiles", role: "group", "aria-label": "Numbers of the run" });
  const said = element("div", { class: "vg-x-spoken", role: "status" });
  const besides = element("div", { class: "vg-x-besides" });
  const text = element("input", { type: "text", class: "vg-x-text", "aria-label": "The setting as a text; paste one to have it",
    spellcheck: "false" });
  const keep = element("input", { type: "checkbox" });
  const button = (words, tip, act) => {
    const made = element("button", { class: "jupyter-button", type: "button", title: tip }, words);
    made.onclick = act;
    return made;
  };
  const back = button("Go back", "Make the ghost the setting, and the setting the ghost", () => model.send({ back: true }));
  const copy = button("Copy", "Copy the text of the setting", async () => {
    text.select();
    try { await navigator.clipboard.writeText(text.value); } catch { document.execCommand("copy"); }
  });
  const seeds = element("input", { type: "number", min: 1, max: 1000, value: 20, "aria-label": "How many seeds" });
  const compare = button("Compare", "Both settings with many seeds, seed by seed", () => {
    const many = Number(seeds.value);
    model.send(model.get("comparison").running ? { stop: true } : { compare: many });
  });
  const result = element("div", { class: "vg-x-result", role: "status" });
  const textError = element("span", { class: "vg-x-error", role: "alert" });
  text.onchange = () => model.send({ paste: text.value });
  text.onkeydown = (event) => event.key === "Enter" && text.blur();
  keep.onchange = () => model.send({ keep: keep.checked });
  // JupyterLab has shortcuts of its own for these keys
  root.addEventListener("keydown", (event) => event.stopPropagation());

  const ghost = element("div", { class: "vg-x-group vg-x-keeping" },
    element("label", { class: "vg-x-keep", title: "Compare with the same setting, whatever is changed" }, keep, "keep the ghost"),
    back);
  const bottom = element("div", { class: "vg-x-bottom" },
    element("span", { class: "vg-x-seeds" }, "over", seeds, "seeds", compare),
    element("span", { class: "vg-x-link" }, text, textError), copy);
  const main = element("div", { class: "vg-x-main" });

  const view = { update: drawAnswer };

  function build() {
    const looks = model.get("form");
    form.fields.clear();
    const [top, lanes] = controls(form, looks.choices, looks.accounts);
    main.replaceChildren(element("div", { class: "vg-x-accounts" }, ...lanes), box);
    top.append(ghost);
    root.replaceChildren(top, tiles, main, legend, besides, bottom, result, said);
  }

  function drawAnswer() {
    const answer = model.get("answer");
    form.update(answer);
    result.classList.toggle("vg-x-old", !answer.compared && Boolean(model.get("comparison").rows));
    const known = Object.fromEntries(model.get("settled").tiles.map((each) => [each.name, each]));
    tiles.replaceChildren(...answer.tiles.map((each) =>
      tile(each.value === "…" && each.name in known ? { ...known[each.name], stale: true } : each)));
    draw();
    textError.textContent = answer.errors.text ?? "";
    if (!answer.errors.text && document.activeElement !== text) text.value = answer.text;
    besides.textContent = answer.besides;
    back.disabled = !answer.before;
    compare.disabled = !answer.before && !model.get("comparison").running;
    keep.checked = answer.keeps;
  }

  let drawn = 0; // the width: none while the cell is scrolled away, and JupyterLab has taken it off the page

  function draw() {
    drawn = box.clientWidth;
    const { looks, accounts } = model.get("form");
    legend.replaceChildren(...drawGantt(box, model.get("answer").picture, looks, accounts));
  }

  function drawSettled() {
    const settled = model.get("settled");
    if (settled.serial !== model.get("answer").serial) return;
    tiles.replaceChildren(...settled.tiles.map(tile));
    said.textContent = settled.said;
  }

  function drawComparison() {
    const { running, done, wanted, rows, words, names, error, old } = model.get("comparison");
    result.classList.toggle("vg-x-old", Boolean(old));
    compare.textContent = running ? "Stop" : "Compare";
    compare.disabled = !running && !model.get("answer").before;
    if (error) return result.replaceChildren(element("p", { class: "vg-x-trouble" }, error));
    if (!rows && !running) return result.replaceChildren();
    const parts = [];
    if (running) parts.push(element("progress", { max: wanted, value: done, "aria-label": "Runs that are done" }));
    if (rows) {
      const head = element("tr", {}, ...["", ...names, "difference, paired [95 %]"].map((each) =>
        element(each ? "th" : "td", each ? { scope: "col" } : {}, each)));
      const body = rows.map(([name, ...cells]) =>
        element("tr", {}, element("th", { scope: "row" }, name), ...cells.map((each) => element("td", {}, each))));
      parts.push(element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)), element("p", {}, words));
    }
    result.replaceChildren(...parts);
    if (running) model.send({ go_on: done });
  }

  build();
  el.append(root);
  line.views.add(view);
  const onForm = () => { build(); drawAnswer(); };
  model.on("change:form", onForm);
  model.on("change:settled", drawSettled);
  model.on("change:comparison", drawComparison);
  const resized = new ResizeObserver(() => {
    if (box.clientWidth && box.clientWidth !== drawn) draw();
  });
  resized.observe(box);
  const themed = new MutationObserver(draw);
  themed.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name", "data-jp-theme-light", "class"] });
  drawAnswer();
  drawSettled();
  drawComparison();
  line.settle();
  return () => {
    line.views.delete(view);
    model.off("change:form", onForm);
    model.off("change:settled", drawSettled);
    model.off("change:comparison", drawComparison);
    resized.disconnect();
    themed.disconnect();
  };
}

export default { render };

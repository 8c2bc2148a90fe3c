// The editor of scenes: their prompt and parameters, with what is wrong beside the field that caused it.

const CHECK_AFTER_MS = 250;

// Elements are made by this alone, and text goes in as text: prompts, ids and reasons are somebody else's.
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("aria") || name === "role") element.setAttribute(name.replace("aria_", "aria-"), value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

let fieldCount = 0;

function field(label, input) {
  const error = make("div", { className: "vg-field-error", id: `vg-field-${(fieldCount += 1)}` });
  input.setAttribute("aria-describedby", error.id);
  const root = make("label", { className: "vg-field" }, make("span", { textContent: label }), input, error);
  return {
    root,
    input,
    show(text) {
      error.textContent = text ?? "";
      input.setAttribute("aria-invalid", text ? "true" : "false");
    },
  };
}

async function openEditor(el, keys, rows, ask, close) {
  const [given] = await ask({ what: "open", keys });
  if (given.error) throw new Error(given.error);
  const fields = new Map();
  const general = make("div", { className: "vg-field-error", role: "alert" });
  const grid = make("div", { className: "vg-fields" });
  const form = make("form", { className: "vg-scene-editor" });
  let prompt = null;
  if (given.prompt !== null) {
    prompt = field("Prompt", make("textarea", { value: given.prompt, rows: 3 }));
    fields.set("prompt", prompt);
    form.append(prompt.root);
  }
  const addParam = (name, text) => {
    const input = make("input", { value: text ?? "", placeholder: text === null ? "several values" : "" });
    const one = field(name, input);
    one.before = text;
    fields.set(name, one);
    grid.append(one.root);
    return one;
  };
  for (const [name, text] of given.params) addParam(name, text);

  const newName = make("input", { placeholder: "another parameter", "aria_label": "Name of another parameter" });
  newName.setAttribute("aria-label", "Name of another parameter");
  const add = make("button", { type: "button", textContent: "Add" });
  add.onclick = () => {
    const name = newName.value.trim();
    if (!name || fields.has(name)) return newName.focus();
    newName.value = "";
    addParam(name, "").input.focus();
  };
  newName.onkeydown = (event) => event.key === "Enter" && (event.preventDefault(), add.click());
  const save = make("button", { type: "submit", className: "vg-primary", textContent: "Save" });
  const cancel = make("button", { type: "button", textContent: "Close without saving", onclick: close });

  const edit = () => {
    const params = {};
    for (const [name, one] of fields) {
      if (one === prompt) continue;
      if (one.before === null ? one.input.value !== "" : one.input.value !== one.before) params[name] = one.input.value;
    }
    return { keys, params, prompt: prompt && prompt.input.value !== given.prompt ? prompt.input.value : null };
  };
  const show = (errors) => {
    for (const [name, one] of fields) one.show(errors[name]);
    general.textContent = Object.entries(errors).filter(([name]) => !fields.has(name)).map(([, text]) => text).join(" ");
    save.disabled = Object.keys(errors).length > 0;
  };
  let timer = null, checks = 0;
  form.oninput = () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const check = (checks += 1);
      const [answer] = await ask({ what: "check", ...edit() });
      if (check === checks) show(answer.errors ?? (answer.error ? { "": answer.error } : {}));
    }, CHECK_AFTER_MS);
  };
  form.onsubmit = async (event) => {
    event.preventDefault();
    clearTimeout(timer);
    checks += 1;
    const [answer] = await ask({ what: "save", ...edit() });
    if (answer.errors || answer.error) show(answer.errors ?? { "": answer.error });
    else close();
  };
  form.onkeydown = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  };
  const title = keys.length === 1 ? `Edit ${rows[0].id}` : `Edit ${keys.length} scenes; each keeps its own prompt`;
  const note = rows.every((row) => row.status === "not run yet" || row.status === "waiting")
    ? "" : "What has ended stays as it is until you run it again.";
  form.prepend(make("b", { textContent: title }));
  const more = make("div", { className: "vg-field-more" }, newName, add);
  const buttons = make("div", { className: "vg-scene-buttons" }, save, cancel, make("span", { className: "vg-note", textContent: note }));
  form.append(grid, more, general, buttons);
  el.replaceChildren(form);
  (prompt ?? [...fields.values()][0])?.input.focus();
}

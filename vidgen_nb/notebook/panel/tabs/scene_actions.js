// What can be asked of the scenes that are selected. What costs money or ends work asks first, in the same place.

const few = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
const RUN_AGAIN = ["succeeded", "failed", "cancelled"];
const UNSETTLED = ["waiting", "running"];

function makeActions(el, ask, clear) {
  const line = make("div", { className: "vg-scene-buttons", role: "group", "aria_label": "Selected scenes" });
  line.setAttribute("aria-label", "Selected scenes");
  const below = make("div");
  const problem = make("div", { className: "vg-field-error", role: "alert", id: `vg-field-${(fieldCount += 1)}` });
  el.append(line, problem, below);
  let shown = "", question = null, job = null;

  const complain = (text, isJob = false) => {
    problem.textContent = text;
    job?.setAttribute("aria-invalid", String(isJob));
    if (isJob) job.focus();
  };
  const send = async (request) => {
    question = null;
    const [answer] = await ask(request);
    complain(answer.error ?? "", answer.field === "job");
    if (!answer.error) clear();
    return !answer.error;
  };
  const closeEditor = () => below.replaceChildren();
  const button = (text, title, onclick, { kind = "", disabled = "" } = {}) =>
    make("button", { type: "button", textContent: text, title: disabled || title, className: kind, disabled: !!disabled, onclick });
  const asks = (text, yes, request) => () => {
    question = { text, yes, request };
    draw(true);
  };

  let state = { rows: [], disabled: "" };
  function buttons() {
    const of = (...statuses) => state.rows.filter((row) => statuses.includes(row.status));
    const keys = (rows) => rows.map((row) => row.key);
    const loaded = of("not run yet"), again = of(...RUN_AGAIN), open = of(...UNSETTLED), held = of("held");
    const running = of("running").length, editable = state.rows.filter((row) => row.status !== "running");
    const all = [];
    if (loaded.length)
      all.push(button(`Run ${loaded.length}`, "Run these now", () => send({ what: "run", keys: keys(loaded) }), { kind: "vg-primary" }));
    if (again.length || !(loaded.length || held.length))
      all.push(button(
        again.length > 1 ? `Run ${again.length} again…` : "Run again…", "Run them once more, in this run; asks first",
        asks(`Run ${few(again.length, "scene")} again? It costs as the first time.`, "Run again", { what: "run_again", keys: keys(again) }),
        { disabled: again.length ? "" : "None of them has ended" },
      ));
    all.push(button(
      running ? "Cancel…" : "Cancel", "Cancel those that wait or run",
      running
        ? asks(`Cancel ${few(open.length, "scene")}, ${running} of them running? What runs may be billed all the same.`, "Cancel them", { what: "cancel", keys: keys(open) })
        : () => send({ what: "cancel", keys: keys(open) }),
      { disabled: open.length ? "" : "None of them waits or runs" },
    ));
    all.push(button("Edit", "Change prompt and parameters", () => openEditor(below, keys(editable), editable, ask, closeEditor).catch((error) => complain(error.message)),
      { disabled: editable.length ? "" : "They are running: edit them when they have ended" }));
    if (held.length) all.push(...decisions(held, keys(held)));
    return all;
  }

  function decisions(held, keys) {
    const made = button("It was made: fetch it", held.length === 1 ? "Ask about its job again; nothing is submitted" : "Decide one at a time",
      () => send({ what: "made", keys, job: job.value.trim() }), { disabled: held.length === 1 ? "" : "One at a time: select a single scene in doubt" });
    job ??= make("input", { placeholder: "its job's id", title: "The id in the provider's own list of jobs, if it is not known here", oninput: () => complain("") });
    job.setAttribute("aria-label", "Id of its job");
    job.setAttribute("aria-describedby", problem.id);
    const text = `Submit ${few(held.length, "scene")} again? Earlier jobs may exist, or be made yet: it may be billed twice.`;
    return [make("span", { className: "vg-note", textContent: "In doubt:" }), made, ...(held.length === 1 ? [job] : []),
      button("Submit again…", "Asks first: it may be billed twice", asks(text, "Submit again, maybe pay twice", { what: "submit_again", keys }))];
  }

  function draw(force) {
    const now = JSON.stringify([state.rows.map((row) => [row.key, row.status, row.note]), state.disabled, question?.text]);
    if (now === shown && !force) return;
    shown = now;
    const focused = line.contains(document.activeElement) ? document.activeElement.textContent : null;
    line.replaceChildren();
    if (state.disabled || !state.rows.length) {
      question = null;
      complain("");
      line.append(make("span", { className: "vg-note", textContent: state.disabled ? `No changes: ${state.disabled}.` : "Select scenes to run again, edit or cancel. Click a row to highlight it in the chart." }));
      return;
    }
    if (question) {
      const { yes, request } = question;
      const no = button("Keep as it is", "Change nothing", () => { question = null; draw(true); });
      line.append(make("b", { textContent: question.text }), button(yes, "", () => send(request), { kind: "vg-danger" }), no);
      no.focus();
      return;
    }
    line.append(make("b", { textContent: `${state.rows.length.toLocaleString("en")} selected` }), ...buttons(), button("Clear", "Select none", clear));
    const why = state.rows.length === 1 ? state.rows[0].note : ""; // the table may have no room for all of it
    if (why) line.append(make("div", { className: "vg-note vg-scene-why", textContent: why }));
    if (focused) [...line.querySelectorAll("button")].find((each) => each.textContent === focused)?.focus();
  }

  return (rows, disabled) => {
    const same = rows.length === state.rows.length && rows.every((row, at) => row.key === state.rows[at].key);
    if (!same) {
      question = null;
      complain("");
      if (job) job.value = "";
    }
    state = { rows, disabled };
    draw(false);
  };
}

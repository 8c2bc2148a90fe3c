// Keeps a page of the dashboard up to date: the list of runs, or one run while it goes on.

(() => {
  const LIST_MS = 3000, LIVE_MS = 2000, REST_MS = 5000;
  const list = document.getElementById("vg-list"), live = document.getElementById("vg-live");
  let version = "";

  async function updateList() {
    const { table } = await (await fetch("list")).json();
    if (list.innerHTML !== table) list.innerHTML = table; // the server has escaped it
    return LIST_MS;
  }

  async function updateRun() {
    const state = await (await fetch(`${location.pathname}/state?version=${encodeURIComponent(version)}`)).json();
    if (state.error) {
      live.textContent = `· ${state.error}`;
      return REST_MS;
    }
    live.textContent = state.live ? "●" : ""; // in words it is said below the title
    if (state.parts) {
      version = state.version;
      document.title = state.title;
      for (const [name, html] of Object.entries(state.parts))
        document.querySelector(`[data-part="${name}"]`).innerHTML = html;
      await globalThis.vidgen_nb_report.take(state.figures);
    }
    return state.live ? LIVE_MS : REST_MS;
  }

  async function update() {
    let after = REST_MS;
    try {
      if (!document.hidden) after = await (list ? updateList() : updateRun());
    } catch {
      if (live) live.textContent = "· the dashboard has ended";
    }
    setTimeout(update, after);
  }
  update();
})();

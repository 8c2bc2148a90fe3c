// What only the page can do: say whether its theme is dark, and give files to the reader.

function isDark() {
  const body = document.body;
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false"; // JupyterLab, Notebook, Voila
  if (body.dataset.vscodeThemeKind) return body.dataset.vscodeThemeKind.includes("dark");
  return window.matchMedia("(prefers-color-scheme: dark)").matches;
}

function size(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function save(name, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: "application/octet-stream" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function render({ model, el, signal }) {
  const sendTheme = () => {
    if (model.get("dark") === isDark()) return;
    model.set("dark", isDark());
    model.save_changes();
  };
  const watcher = new MutationObserver(sendTheme);
  watcher.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind"] });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", sendTheme, { signal });
  sendTheme();

  const requested = new Set();
  const showFiles = () =>
    el.replaceChildren(
      ...model.get("files").map(([name, bytes]) => {
        const button = document.createElement("button");
        button.className = "vg-link";
        button.textContent = `Download ${name} (${size(bytes)})`;
        button.onclick = () => {
          requested.add(name);
          model.send({ download: name });
        };
        return button;
      }),
    );
  // All views of the model get the file; only the one where it was clicked saves it.
  const receive = ({ file }, buffers) => requested.delete(file) && save(file, buffers[0]);
  el.classList.add("vg-files");
  model.on("change:files", showFiles);
  model.on("msg:custom", receive);
  showFiles();
  return () => {
    watcher.disconnect();
    model.off("change:files", showFiles);
    model.off("msg:custom", receive);
  };
}

export default { render };

// What only the page can do: tell whether its theme is dark, and hand files to the reader.

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
  const tell = () => {
    if (model.get("dark") === isDark()) return;
    model.set("dark", isDark());
    model.save_changes();
  };
  const watcher = new MutationObserver(tell);
  watcher.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind"] });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tell, { signal });
  tell();

  const asked = new Set();
  const offer = () =>
    el.replaceChildren(
      ...model.get("files").map(([name, bytes]) => {
        const button = document.createElement("button");
        button.className = "vg-link";
        button.textContent = `Download ${name} (${size(bytes)})`;
        button.onclick = () => {
          asked.add(name);
          model.send({ download: name });
        };
        return button;
      }),
    );
  const receive = ({ file }, buffers) => asked.delete(file) && save(file, buffers[0]); // not in every view of it
  el.classList.add("vg-files");
  model.on("change:files", offer);
  model.on("msg:custom", receive);
  offer();
  return () => {
    watcher.disconnect();
    model.off("change:files", offer);
    model.off("msg:custom", receive);
  };
}

export default { render };

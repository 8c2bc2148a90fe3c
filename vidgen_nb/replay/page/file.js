// A replay as a page of its own: the run stands in the page, compressed.

(async () => {
  const packed = Uint8Array.from(atob(document.getElementById("vg-run").textContent), (char) => char.charCodeAt(0));
  const player = new Player(new Recorded(await unpack(packed)));
  const view = new View(document.getElementById("vg-replay"), player, { everywhere: true });
  const toggle = document.getElementById("vg-theme");
  const show = () => {
    document.documentElement.dataset.theme = view.themeName;
    toggle.textContent = view.themeName === "dark" ? "Light" : "Dark";
  };
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    view.chosenTheme = view.themeName === "dark" ? "light" : "dark";
    view.applyTheme();
    show();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  show();
  globalThis.vidgen_nb_replay = { player, view };
})().catch((error) => {
  const words = `This browser can't play the replay (${error.message}). Please open the file in a current one.`;
  document.getElementById("vg-replay").textContent = words;
});

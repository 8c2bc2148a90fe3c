// Unpacks the figures of this page, and draws each in the reader's theme.

(async () => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const config = { responsive: true, displaylogo: false, showSendToCloud: false };
  const drawn = new Map();

  async function unpack(text) {
    const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    return JSON.parse(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text());
  }

  function themed({ light, dark: changes }) {
    const figure = structuredClone(light);
    if (!dark.matches) return figure;
    for (const [where, value] of changes) {
      const last = where.at(-1);
      where.slice(0, -1).reduce((inside, key) => inside[key], figure)[last] = value;
    }
    return figure;
  }

  function draw() {
    for (const [element, figure] of drawn) {
      const { data, layout } = themed(figure);
      Plotly.react(element, data, { ...layout, autosize: true, uirevision: 1 }, config);
    }
  }

  async function take(text) {
    const figures = await unpack(text);
    for (const element of document.querySelectorAll("[data-figure]")) {
      const figure = figures[element.dataset.figure];
      if (figure) drawn.set(element, figure);
    }
    draw();
  }

  globalThis.vidgen_nb_report = { take };
  dark.addEventListener("change", draw);
  const own = document.getElementById("vg-figures");
  if (own) await take(own.textContent);
})();

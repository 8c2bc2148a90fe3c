// Loads a widget's module, which its kernel sends compressed (js_module.py). MODULE, the module's id, is defined in a
// line before this one. A page keeps each module that it has received.

const modules = (globalThis.vidgen_nb_modules ??= new Map());

const receive = (model) =>
  new Promise((resolve) => {
    const onMessage = (content, buffers) => {
      if (content?.module !== MODULE || !buffers?.length) return;
      model.off("msg:custom", onMessage);
      resolve(buffers[0]);
    };
    model.on("msg:custom", onMessage);
    if (!model.get("_module_follows")) model.send({ module: MODULE });
  });

async function unpack(compressed) {
  const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const source = new Blob([await new Response(stream).arrayBuffer()], { type: "text/javascript" });
  return import(URL.createObjectURL(source));
}

async function load(model) {
  // The promise is stored only once the module has been received: a closed model may never get an answer.
  if (!modules.has(MODULE)) {
    const compressed = await receive(model);
    if (!modules.has(MODULE)) modules.set(MODULE, unpack(compressed));
  }
  return (await modules.get(MODULE)).default;
}

export default () => {
  let widget;
  const create = async (context) => {
    const exported = await load(context.model);
    const inner = typeof exported === "function" ? await exported() : exported;
    await inner.initialize?.(context);
    return inner;
  };
  return {
    initialize(context) {
      widget = create(context); // not awaited: no message arrives before this returns, and anywidget gives up after 2 s
      widget.catch(() => {}); // render reports the error
    },
    async render(context) {
      const note = context.el.appendChild(document.createElement("div"));
      note.className = "vg-note";
      note.textContent = "Waiting for the kernel to send the code that draws this …";
      const inner = await widget;
      note.remove();
      if (!context.signal?.aborted) return inner.render(context);
    },
  };
};

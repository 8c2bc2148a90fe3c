// The widget whose module its kernel sends (module.py), packed; MODULE, its name, stands before this. A page keeps what it has.

const modules = (globalThis.vidgen_nb_modules ??= new Map());

const sent = (model) =>
  new Promise((resolve) => {
    const hear = (content, buffers) => {
      if (content?.module !== MODULE || !buffers?.length) return;
      model.off("msg:custom", hear);
      resolve(buffers[0]);
    };
    model.on("msg:custom", hear);
    if (!model.get("_module_follows")) model.send({ module: MODULE });
  });

async function unpack(packed) {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const source = new Blob([await new Response(stream).arrayBuffer()], { type: "text/javascript" });
  return import(URL.createObjectURL(source));
}

async function load(model) {
  // kept as a promise of the module, once it is there to be unpacked: an answer may never come to a model that is closed
  if (!modules.has(MODULE)) {
    const packed = await sent(model);
    if (!modules.has(MODULE)) modules.set(MODULE, unpack(packed));
  }
  return (await modules.get(MODULE)).default;
}

export default () => {
  let widget;
  const make = async (context) => {
    const made = await load(context.model);
    const inner = typeof made === "function" ? await made() : made;
    await inner.initialize?.(context);
    return inner;
  };
  return {
    initialize(context) {
      widget = make(context); // not waited for: until this ends no message comes, and after 2 s anywidget gives it up
      widget.catch(() => {}); // render tells
    },
    async render(context) {
      const note = context.el.appendChild(document.createElement("div"));
      note.className = "vg-note";
      note.textContent = "Waiting for the kernel to send what draws this …";
      const inner = await widget;
      note.remove();
      if (!context.signal?.aborted) return inner.render(context);
    },
  };
};

// A replay as a widget: each model has one player, whatever number of cells shows it. Its kernel hears of the time at most
// `TELL_EACH` milliseconds apart while it plays, and of a pause, a selection or another speed at once.

const TELL_EACH = 400;

async function playerOf(model) {
  const recorded = new Recorded(await unpack(model.get("_run")));
  const player = new Player(recorded);
  let toldAt = -Infinity;
  let timer = 0;

  const tell = () => {
    timer = 0;
    toldAt = performance.now();
    const { time, playing, speed, selected } = player;
    const now = { time: recorded.seconds(time), playing, speed, selected: recorded.columns.scenes.id[selected] ?? null };
    const news = Object.entries(now).filter(([name, value]) => model.get(name) !== value);
    if (!news.length) return;
    for (const [name, value] of news) model.set(name, value);
    try {
      model.save_changes();
    } catch {
      // the kernel has ended: it plays on all the same
    }
  };
  const tellSoon = () => {
    const { playing, speed, selected } = player;
    const matters = model.get("playing") !== playing || model.get("speed") !== speed || (recorded.columns.scenes.id[selected] ?? null) !== model.get("selected");
    const wait = matters ? 0 : Math.max(0, toldAt + TELL_EACH - performance.now());
    if (wait === 0) {
      clearTimeout(timer);
      tell();
    } else timer ||= setTimeout(tell, wait);
  };

  const take = {
    time: (seconds) => Math.abs(seconds - recorded.seconds(player.time)) > 1e-9 && player.seek(recorded.fromSeconds(seconds)),
    playing: (playing) => player.setPlaying(playing),
    speed: (speed) => speed && speed !== player.speed && player.setSpeed(speed),
    selected: (id) => player.select(id === null ? -1 : (recorded.sceneOf.get(id) ?? -1)),
  };
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  for (const [name, apply] of Object.entries(take)) {
    if (!(name === "playing" && calm) && !(name === "time" && model.get("time") === recorded.seconds(recorded.start))) apply(model.get(name));
    model.on(`change:${name}`, () => apply(model.get(name)));
  }
  tell();
  player.onChange = tellSoon;
  return player;
}

export default () => {
  let player; // a promise: anywidget gives up a widget that takes its time here
  return {
    initialize({ model }) {
      player = playerOf(model);
    },
    async render({ el, signal }) {
      const view = new View(el, await player);
      if (signal?.aborted) view.destroy();
      return () => view.destroy();
    },
  };
};

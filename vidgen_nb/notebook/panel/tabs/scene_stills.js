// Small stills of finished videos: the kernel's, or drawn here from a part of the video and handed to the kernel.

const STILL_WIDTH = 192;
const AT_ONCE = 2; // videos that are asked for and drawn at a time
const GIVE_UP_MS = 6000;

function makeStills(ask, tell, onStill) {
  const found = new Map(); // video's path -> data URL, or null where there is none
  const waiting = new Map(); // key -> video's path
  let busy = 0;

  async function work() {
    if (busy >= AT_ONCE || !waiting.size) return;
    const [key, path] = waiting.entries().next().value;
    waiting.delete(key);
    busy += 1;
    try {
      const still = (await getStill(key, false)) ?? (await getStill(key, true));
      found.set(path, still ? URL.createObjectURL(still) : null);
      if (still) onStill(path);
    } catch {
      found.set(path, null);
    } finally {
      busy -= 1;
      work();
    }
  }

  async function getStill(key, whole) {
    const [answer, buffers] = await ask({ what: "still", key, whole });
    if (answer.still) return new Blob([buffers[0]], { type: "image/jpeg" });
    if (!answer.part) return null;
    const still = await drawStill(new Blob([buffers[0]], { type: "video/mp4" })).catch(() => null);
    if (still) tell({ what: "keep_still", key }, [await still.arrayBuffer()]);
    return still;
  }

  return {
    get: (path) => found.get(path) ?? null,
    want(key, path) {
      if (found.has(path) || waiting.has(key)) return;
      found.set(path, null); // asked for once
      waiting.set(key, path);
      work();
    },
  };
}

function drawStill(blob) {
  const video = document.createElement("video");
  const url = URL.createObjectURL(blob);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(reject, GIVE_UP_MS);
    video.onerror = reject;
    video.onseeked = () => {
      const height = Math.round((STILL_WIDTH * video.videoHeight) / video.videoWidth);
      const canvas = Object.assign(document.createElement("canvas"), { width: STILL_WIDTH, height });
      canvas.getContext("2d").drawImage(video, 0, 0, STILL_WIDTH, height);
      canvas.toBlob((still) => (still ? resolve(still) : reject()), "image/jpeg", 0.75);
    };
    video.onloadeddata = () => {
      clearTimeout(timer);
      video.currentTime = Math.min(0.5, (video.duration || 0) / 3);
      setTimeout(() => video.onseeked?.(), 1500); // a part may lack that moment: then the first picture is drawn
    };
    Object.assign(video, { muted: true, preload: "auto", src: url });
  }).finally(() => {
    video.onseeked = video.onerror = null;
    video.removeAttribute("src");
    URL.revokeObjectURL(url);
  });
}

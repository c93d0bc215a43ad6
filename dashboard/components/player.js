// One sound: a button, a waveform and a clock. All players of the page share a set, so that one
// sounds at a time and keys go from one to the next.
const players = (window.messPlayers ??= new Set());

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function inOrder() {
  return [...players].sort((a, b) =>
    a.root.compareDocumentPosition(b.root) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1
  );
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const at = event.composedPath()[0];
  if (at.isContentEditable || /^(input|textarea|select)$/i.test(at.tagName ?? "")) return;
  const step = { j: -1, k: 0, l: 1 }[event.key.toLowerCase()];
  if (step === undefined) return;
  const order = inOrder();
  const now = order.findIndex((one) => one === window.messCurrent);
  const next = order[now < 0 ? 0 : Math.min(Math.max(now + step, 0), order.length - 1)];
  if (!next) return;
  if (step === 0) next.toggle();
  else next.play();
}

if (!window.messKeys) {
  window.messKeys = true;
  window.addEventListener("keydown", onKey);
}

class Player {
  constructor(root) {
    this.root = root;
    root.className = "player";
    root.setAttribute("role", "group");
    this.button = document.createElement("button");
    this.button.type = "button";
    this.wave = document.createElement("canvas");
    this.wave.className = "wave";
    this.wave.tabIndex = 0;
    this.wave.setAttribute("role", "slider");
    this.time = document.createElement("span");
    this.time.className = "time";
    this.audio = document.createElement("audio");
    this.audio.preload = "none";
    root.append(this.button, this.wave, this.time, this.audio);
    this.button.onclick = () => this.toggle();
    this.wave.onclick = (event) => this.seek(event.offsetX / this.wave.clientWidth);
    this.wave.onkeydown = (event) => {
      const by = { ArrowRight: 0.05, ArrowLeft: -0.05 }[event.key];
      if (by === undefined) return;
      event.preventDefault();
      this.seek(this.audio.currentTime / this.length() + by);
    };
    for (const name of ["play", "pause", "ended", "timeupdate", "loadedmetadata"])
      this.audio.addEventListener(name, () => this.draw());
    this.audio.addEventListener("error", () => this.explain());
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(this.wave);
    this.seen = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) this.fetchPeaks();
    });
    this.seen.observe(this.wave);
    players.add(this);
  }

  show(data) {
    if (this.data?.clip !== data.clip) {
      this.audio.pause();
      this.audio.removeAttribute("src");
      this.peaks = null;
      this.wanted = null;
      this.time.classList.remove("bad");
    }
    this.data = data;
    this.root.setAttribute("aria-label", data.label);
    this.wave.setAttribute("aria-label", `Position in ${data.label}`);
    if (this.visible) this.fetchPeaks();
    this.draw();
  }

  length() {
    return Number.isFinite(this.audio.duration) ? this.audio.duration : this.data.seconds;
  }

  async fetchPeaks() {
    this.visible = true;
    const wanted = this.data?.peaks;
    if (!wanted || this.wanted === wanted) return;
    this.wanted = wanted;
    try {
      const answer = await fetch(wanted);
      if (this.data.peaks !== wanted) return;
      if (answer.ok) this.peaks = await answer.json();
      else this.say(await answer.text());
    } catch {
      return; // the page is being left
    }
    this.draw();
  }

  toggle() {
    if (this.audio.paused) this.play();
    else this.audio.pause();
  }

  play() {
    for (const other of players) if (other !== this) other.audio.pause();
    window.messCurrent = this;
    if (!this.audio.getAttribute("src")) this.audio.src = this.data.clip;
    this.audio.play().catch(() => {});
    this.root.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  seek(share) {
    const to = Math.min(Math.max(share, 0), 0.999) * this.length();
    if (!this.audio.getAttribute("src")) {
      this.audio.src = this.data.clip;
      this.audio.addEventListener("loadedmetadata", () => (this.audio.currentTime = to), {
        once: true,
      });
    } else this.audio.currentTime = to;
    this.play();
  }

  async explain() {
    if (!this.audio.getAttribute("src")) return;
    const answer = await fetch(this.data.clip).catch(() => null);
    this.say(answer && !answer.ok ? await answer.text() : "this sound cannot be played");
  }

  say(text) {
    this.time.textContent = text;
    this.time.classList.add("bad");
  }

  draw() {
    if (!this.data) return;
    const playing = !this.audio.paused && !this.audio.ended;
    this.root.classList.toggle("playing", playing);
    this.button.textContent = playing ? "❚❚" : "►";
    this.button.setAttribute("aria-label", `${playing ? "Pause" : "Play"} ${this.data.label}`);
    const length = this.length();
    const at = this.audio.currentTime;
    if (!this.time.classList.contains("bad"))
      this.time.textContent = `${clock(this.data.start + at)} / ${clock(this.data.start + length)}`;
    this.wave.setAttribute("aria-valuemin", 0);
    this.wave.setAttribute("aria-valuemax", Math.round(length));
    this.wave.setAttribute("aria-valuenow", Math.round(at));
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(this.wave.clientWidth * ratio);
    const height = Math.round(this.wave.clientHeight * ratio);
    if (!width || !height) return;
    if (this.wave.width !== width) this.wave.width = width;
    if (this.wave.height !== height) this.wave.height = height;
    const pen = this.wave.getContext("2d");
    const style = getComputedStyle(this.root);
    const rest = style.getPropertyValue("--st-text-color") || "#888";
    const heard = style.getPropertyValue("--st-primary-color") || "#2166ac";
    pen.clearRect(0, 0, width, height);
    const bars = Math.max(1, Math.floor(width / (3 * ratio)));
    const loudest = Math.max(...(this.peaks ?? []), 1e-6);
    for (let bar = 0; bar < bars; bar++) {
      const peak = this.peaks ? this.peaks[Math.floor((bar / bars) * this.peaks.length)] / loudest : 0;
      const tall = Math.max(ratio, peak * height);
      const done = bar / bars < at / length;
      pen.globalAlpha = done ? 1 : 0.35;
      pen.fillStyle = done ? heard : rest;
      pen.fillRect(bar * 3 * ratio, (height - tall) / 2, 2 * ratio, tall);
    }
  }

  leave() {
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.resized.disconnect();
    this.seen.disconnect();
    players.delete(this);
    if (window.messCurrent === this) window.messCurrent = null;
    this.root.remove();
  }
}

const mounted = new WeakMap();

export default function ({ parentElement, data }) {
  let player = mounted.get(parentElement);
  if (!player) {
    const root = document.createElement("div");
    parentElement.appendChild(root);
    player = new Player(root);
    mounted.set(parentElement, player);
  }
  player.show(data);
  return () => {
    player.leave();
    mounted.delete(parentElement);
  };
}

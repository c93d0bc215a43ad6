// One sound: a button, a waveform and a clock. All players of the page share a set, so that only one
// sounds at a time. `player_keys.js` makes the set, `player_settings.js` says how all of them play.
const players = window.messPlayers;

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function silenceOthers(own) {
  for (const other of players) if (other.audio !== own) other.audio.pause();
  for (const other of document.querySelectorAll("audio, video")) if (other !== own) other.pause();
}

if (!window.messSilence) {
  window.messSilence = true;
  // A player that is not one of these, such as Streamlit's own, silences these too.
  document.addEventListener("play", (event) => silenceOthers(event.target), true);
}

// A row of players: when one ends, the next begins. Whoever plays another sound leaves the row.
function playInRow(row) {
  window.messRow = row;
  row[0]?.seek(0);
}

// The page fetches two waveforms at a time, the first on the page first. It skips those of a list that
// has changed meanwhile.
const queue = (window.messQueue ??= { waiting: [], running: 0 });

function enqueue(work) {
  queue.waiting.push(work);
  pump();
}

function pump() {
  while (queue.running < 2 && queue.waiting.length) {
    queue.running += 1;
    queue.waiting.shift()().finally(() => {
      queue.running -= 1;
      pump();
    });
  }
}

const PART_SECONDS = 60; // the longest clip that the server cuts

class Player {
  constructor(root) {
    this.root = root;
    root.className = "player";
    root.setAttribute("role", "group");
    this.button = element("button", { type: "button" });
    this.wave = element("canvas", { class: "wave", tabindex: "0", role: "slider" });
    this.time = element("span", { class: "time", role: "status", "aria-live": "off" });
    this.audio = element("audio", { preload: "none" });
    this.extent = element("button", {
      type: "button", class: "extent", "aria-pressed": "false",
      title: "The whole recording, or its beginning",
    }, "⟷");
    this.extent.onclick = () => this.showWhole(!this.whole);
    this.whole = false;
    this.part = 0;
    this.loop = [];
    this.lane = new Lane(this);
    root.append(
      this.button, this.wave, this.time, this.extent, this.lane.toggle, this.audio, this.lane.root
    );
    this.button.onclick = () => this.toggle();
    this.wave.onclick = (event) => this.seek(event.offsetX / this.wave.clientWidth);
    this.wave.onkeydown = (event) => this.onWaveKey(event);
    this.audio.addEventListener("play", () => this.goRound());
    for (const name of ["play", "playing", "waiting", "pause", "ended", "timeupdate", "seeked"])
      this.audio.addEventListener(name, () => this.draw());
    this.audio.addEventListener("loadedmetadata", () => this.draw());
    this.audio.addEventListener("ended", () => this.playNext());
    this.audio.addEventListener("error", () => this.explain());
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(this.wave);
    this.seen = new IntersectionObserver((entries) => {
      this.visible = entries.at(-1).isIntersecting;
      if (this.visible) this.fetchPeaks();
    });
    this.seen.observe(this.wave);
    players.add(this);
  }

  onWaveKey(event) {
    const at = this.at() / this.length();
    const to = { ArrowRight: at + 0.05, ArrowLeft: at - 0.05, Home: 0, End: 0.95 }[event.key];
    if (to !== undefined) this.seek(to);
    else if (event.key === " " || event.key === "Enter") this.toggle();
    else return;
    event.preventDefault();
  }

  // A rerun that shows the same sound again changes nothing; another sound ends this one.
  show(data) {
    if (this.data?.clip !== data.clip) {
      this.stop();
      this.peaks = null;
      this.wanted = null;
      this.loop = [];
      this.whole = false;
      this.part = 0;
      this.time.classList.remove("bad");
    }
    this.data = data;
    this.extent.setAttribute("aria-label", `The whole recording: ${data.label}`);
    this.root.setAttribute("aria-label", data.label);
    this.wave.setAttribute("aria-label", `Position in ${data.label}`);
    this.extent.hidden = !data.whole;
    this.lane.show(this.shown().lane);
    if (this.visible) this.fetchPeaks();
    this.draw();
  }

  // What is heard: the beginning of a recording, or all of it, a part after another.
  shown() {
    return this.whole ? this.data.whole : this.data;
  }

  length() {
    if (this.whole) return this.data.whole.seconds;
    return Number.isFinite(this.audio.duration) ? this.audio.duration : this.data.seconds;
  }

  at() {
    return (this.whole ? this.part * PART_SECONDS : 0) + this.audio.currentTime;
  }

  showWhole(whole) {
    const [at, playing] = [this.shown().start + this.at(), !this.audio.paused];
    this.stop();
    Object.assign(this, { whole, part: 0, loop: [], peaks: null, wanted: null });
    this.extent.setAttribute("aria-pressed", whole);
    this.lane.show(this.shown().lane);
    if (this.visible) this.fetchPeaks();
    if (playing) this.seek((at - this.shown().start) / this.length());
    this.draw();
  }

  fetchPeaks() {
    const wanted = this.data && this.shown().peaks;
    if (!wanted || this.wanted === wanted) return;
    this.wanted = wanted;
    enqueue(() => this.readPeaks(wanted));
  }

  async readPeaks(wanted) {
    if (this.shown().peaks !== wanted || !players.has(this)) return;
    const answer = await fetch(wanted).catch(() => null); // null: the page is being left
    if (!answer || this.shown().peaks !== wanted) return;
    if (answer.ok) this.peaks = await answer.json();
    else this.say(await answer.text());
    this.draw();
  }

  playNext() {
    if (this.whole && (this.part + 1) * PART_SECONDS < this.length()) {
      this.moveTo((this.part + 1) * PART_SECONDS);
      this.play();
      return;
    }
    const row = window.messRow ?? [];
    const next = row[row.indexOf(this) + 1];
    if (row.includes(this) && next?.root.isConnected) next.seek(0);
  }

  toggle() {
    if (this.audio.paused) this.play();
    else this.audio.pause();
  }

  load() {
    if (this.audio.getAttribute("src")) return;
    this.time.classList.remove("bad");
    this.audio.src = this.source();
    this.audio.defaultPlaybackRate = this.audio.playbackRate = playerSettings.speed;
    this.audio.preservesPitch = true;
  }

  source(part = this.part) {
    const { level, whole, clip } = this.data;
    const matched = playerSettings.matched && level !== undefined ? `&level=${level}` : "";
    if (!this.whole) return `${clip}${matched}`;
    // All parts have the gain of the beginning: what is soft in a recording stays soft.
    const like = matched && `&like=${this.data.start},${this.data.seconds}`;
    return `${whole.clip}&start=${part * PART_SECONDS}&seconds=${PART_SECONDS}${matched}${like}`;
  }

  // Takes what all players are set to; the sound goes on where it is.
  follow() {
    const { audio } = this;
    if (!audio.getAttribute("src")) return;
    audio.defaultPlaybackRate = audio.playbackRate = playerSettings.speed;
    if (new URL(this.source(), location.href).href === audio.src) return;
    const [at, playing] = [audio.currentTime, !audio.paused];
    audio.src = this.source();
    audio.addEventListener("loadedmetadata", () => (audio.currentTime = at), { once: true });
    if (playing) this.play();
    else audio.load();
  }

  skip(seconds) {
    this.seek((this.at() + seconds) / this.length(), { play: !this.audio.paused });
  }

  // Begins (0) or ends (1) the stretch that is played again and again; before its begin, it ends none.
  mark(edge) {
    const at = this.at();
    if (edge === 0) this.loop = [at];
    else this.loop = this.loop.length && at - this.loop[0] > 0.2 ? [this.loop[0], at] : [];
    this.goRound();
    this.draw();
  }

  goRound() {
    if (this.loop.length < 2 || this.audio.paused) return;
    const [from, to] = this.loop;
    if (this.at() >= to || this.at() < from - 0.05) this.moveTo(from);
    requestAnimationFrame(() => this.goRound());
  }

  play() {
    silenceOthers(this.audio);
    window.messCurrent = this;
    if (!window.messRow?.includes(this)) window.messRow = null;
    this.load();
    this.audio.play().catch((error) => {
      if (error.name === "NotAllowedError") this.say("the browser does not let the page play sounds");
    });
    this.root.scrollIntoView({ block: "nearest" });
  }

  seek(share, { play = true } = {}) {
    this.moveTo(Math.min(Math.max(share, 0), 0.999) * this.length());
    if (play) this.play();
  }

  moveTo(at) {
    const playing = !this.audio.paused;
    const part = this.whole ? Math.floor(at / PART_SECONDS) : 0;
    if (part !== this.part) this.stop();
    this.part = part;
    this.load();
    const rest = at - part * PART_SECONDS;
    if (this.audio.readyState > 0) this.audio.currentTime = rest;
    else {
      const jump = () => (this.audio.currentTime = rest);
      this.audio.addEventListener("loadedmetadata", jump, { once: true });
    }
    if (playing && this.audio.paused) this.play();
  }

  // The next part is cut while this one is heard, so it begins without a pause.
  fetchNext() {
    const next = this.part + 1;
    if (!this.whole || this.audio.currentTime < PART_SECONDS / 2 || this.ahead === this.source(next))
      return;
    if (next * PART_SECONDS >= this.length()) return;
    this.ahead = this.source(next);
    fetch(this.ahead).catch(() => null);
  }

  stop() {
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.audio.load();
  }

  async explain() {
    if (!this.audio.getAttribute("src")) return;
    const answer = await fetch(this.source()).catch(() => null);
    this.audio.removeAttribute("src"); // the next click tries again
    this.say(answer && !answer.ok ? await answer.text() : "this sound cannot be played");
  }

  say(text) {
    this.time.textContent = text;
    this.time.classList.add("bad");
    this.draw();
  }

  draw() {
    if (!this.data) return;
    const { audio, root, time, wave } = this;
    const playing = !audio.paused && !audio.ended;
    const length = this.length();
    const at = this.at();
    this.fetchNext();
    root.classList.toggle("playing", playing);
    root.setAttribute("aria-busy", playing && audio.readyState < 3);
    this.button.textContent = playing ? "❚❚" : "►";
    this.button.setAttribute("aria-label", `${playing ? "Pause" : "Play"} ${this.data.label}`);
    const now = `${clock(this.shown().start + at)} / ${clock(this.shown().start + length)}`;
    if (!time.classList.contains("bad")) time.textContent = now;
    wave.setAttribute("aria-valuemin", 0);
    wave.setAttribute("aria-valuemax", Math.round(length));
    wave.setAttribute("aria-valuenow", Math.round(at));
    wave.setAttribute("aria-valuetext", now);
    this.paint(at / length);
    this.lane.draw();
    if (window.messCurrent === this && (playing || window.messBar.player === this))
      window.messBar.follow(this);
  }

  paint(share) {
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(this.wave.clientWidth * ratio);
    const height = Math.round(this.wave.clientHeight * ratio);
    if (!width || !height) return;
    if (this.wave.width !== width) this.wave.width = width;
    if (this.wave.height !== height) this.wave.height = height;
    const pen = this.wave.getContext("2d");
    const style = getComputedStyle(this.root);
    const rest = style.getPropertyValue("--st-text-color") || style.color;
    const heard = style.getPropertyValue("--st-primary-color") || style.color;
    pen.clearRect(0, 0, width, height);
    if (this.loop?.length) {
      const [from, to = this.at()] = this.loop.map((at) => (at / this.length()) * width);
      pen.globalAlpha = 0.2;
      pen.fillStyle = heard;
      pen.fillRect(from, 0, Math.max(this.loop.length < 2 ? 2 * ratio : to - from, 1), height);
    }
    const bars = Math.max(1, Math.floor(width / (3 * ratio)));
    const { peaks } = this;
    const loudest = peaks ? peaks.reduce((most, peak) => Math.max(most, peak), 1e-6) : 1;
    for (let bar = 0; bar < bars; bar++) {
      const peak = peaks ? peaks[Math.floor((bar / bars) * peaks.length)] / loudest : 0;
      const tall = Math.max(ratio, peak * height);
      const done = bar / bars < share;
      pen.globalAlpha = done ? 1 : 0.35;
      pen.fillStyle = done ? heard : rest;
      pen.fillRect(bar * 3 * ratio, (height - tall) / 2, 2 * ratio, tall);
    }
  }

  leave() {
    this.stop();
    this.lane.leave();
    this.resized.disconnect();
    this.seen.disconnect();
    players.delete(this);
    if (window.messCurrent === this) window.messCurrent = null;
    if (window.messBar.player === this) window.messBar.follow(null);
    this.root.remove();
  }
}

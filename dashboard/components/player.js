// One sound: a button, a waveform and a clock. All players of the page share a set, so that only one
// sounds at a time. `player_keys.js` makes the set.
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
    this.time.setAttribute("role", "status");
    this.time.setAttribute("aria-live", "off");
    this.audio = document.createElement("audio");
    this.audio.preload = "none";
    this.lane = new Lane(this);
    root.append(this.button, this.wave, this.time, this.lane.toggle, this.audio, this.lane.root);
    this.button.onclick = () => this.toggle();
    this.wave.onclick = (event) => this.seek(event.offsetX / this.wave.clientWidth);
    this.wave.onkeydown = (event) => this.onWaveKey(event);
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
    const at = this.audio.currentTime / this.length();
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
      this.time.classList.remove("bad");
    }
    this.data = data;
    this.root.setAttribute("aria-label", data.label);
    this.wave.setAttribute("aria-label", `Position in ${data.label}`);
    this.lane.show(data.lane);
    if (this.visible) this.fetchPeaks();
    this.draw();
  }

  length() {
    return Number.isFinite(this.audio.duration) ? this.audio.duration : this.data.seconds;
  }

  fetchPeaks() {
    const wanted = this.data?.peaks;
    if (!wanted || this.wanted === wanted) return;
    this.wanted = wanted;
    enqueue(() => this.readPeaks(wanted));
  }

  async readPeaks(wanted) {
    if (this.data.peaks !== wanted || !players.has(this)) return;
    const answer = await fetch(wanted).catch(() => null); // null: the page is being left
    if (!answer || this.data.peaks !== wanted) return;
    if (answer.ok) this.peaks = await answer.json();
    else this.say(await answer.text());
    this.draw();
  }

  playNext() {
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
    this.audio.src = this.data.clip;
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

  seek(share) {
    const to = Math.min(Math.max(share, 0), 0.999) * this.length();
    this.load();
    if (this.audio.readyState > 0) this.audio.currentTime = to;
    else {
      const jump = () => (this.audio.currentTime = to);
      this.audio.addEventListener("loadedmetadata", jump, { once: true });
    }
    this.play();
  }

  stop() {
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.audio.load();
  }

  async explain() {
    if (!this.audio.getAttribute("src")) return;
    const answer = await fetch(this.data.clip).catch(() => null);
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
    const at = audio.currentTime;
    root.classList.toggle("playing", playing);
    root.setAttribute("aria-busy", playing && audio.readyState < 3);
    this.button.textContent = playing ? "❚❚" : "►";
    this.button.setAttribute("aria-label", `${playing ? "Pause" : "Play"} ${this.data.label}`);
    const now = `${clock(this.data.start + at)} / ${clock(this.data.start + length)}`;
    if (!time.classList.contains("bad")) time.textContent = now;
    wave.setAttribute("aria-valuemin", 0);
    wave.setAttribute("aria-valuemax", Math.round(length));
    wave.setAttribute("aria-valuenow", Math.round(at));
    wave.setAttribute("aria-valuetext", now);
    this.paint(at / length);
    this.lane.draw();
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
    this.root.remove();
  }
}

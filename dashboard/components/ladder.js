// Clips in a row, from the least to the most: one button, or the key P, plays one after the other.
class Rung {
  constructor(ladder) {
    this.root = element("li");
    this.title = element("h3");
    this.said = element("p", { class: "said" });
    this.player = new Player(element("div"));
    this.player.wave.before(this.said);
    this.root.append(this.player.root, this.title);
    const { audio } = this.player;
    audio.addEventListener("ended", () => ladder.after(this));
    audio.addEventListener("pause", () => !audio.ended && ladder.stopped(this));
  }

  show(data) {
    this.said.textContent = data.said;
    this.title.textContent = data.label;
    this.player.show(data.sound);
  }

  leave() {
    this.player.leave();
    this.root.remove();
  }
}

// What was asked for begins once, and not again when its page is come back to.
const begun = (window.messBegun ??= new Set());
const ladders = (window.messLadders ??= new Set());

function onLadderKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.composedPath()[0])) return;
  if (event.key.toLowerCase() !== "p") return;
  const shown = [...ladders].filter((one) => one.root.isConnected);
  shown.sort((a, b) => (isBefore(a.root, b.root) ? -1 : 1));
  (shown.find((one) => one.current) ?? shown[0])?.toggle();
}

if (!window.messLadderKey) {
  window.messLadderKey = true;
  window.addEventListener("keydown", onLadderKey);
}

class Ladder {
  constructor(root) {
    root.className = "ladder";
    root.setAttribute("role", "group");
    this.root = root;
    this.current = null; // the rung that sounds in a run through all
    this.rungs = [];
    this.button = element("button", { type: "button", class: "all" });
    this.button.onclick = () => this.toggle();
    this.list = element("ol");
    root.append(this.button, this.list);
    ladders.add(this);
  }

  show(data) {
    const clips = data.rungs.map((one) => one.sound.clip).join("\n");
    const other = this.clips !== clips;
    this.data = data;
    this.root.setAttribute("aria-label", data.label);
    if (other) {
      this.clips = clips;
      this.current = null;
      for (const rung of this.rungs) rung.leave();
      this.rungs = data.rungs.map(() => new Rung(this));
      this.list.style.setProperty("--rungs", this.rungs.length);
      this.list.replaceChildren(...this.rungs.map((rung) => rung.root));
    }
    this.rungs.forEach((rung, place) => rung.show(data.rungs[place]));
    this.draw();
    if (data.begin && !begun.has(data.begin)) {
      begun.add(data.begin);
      this.toggle();
    }
  }

  toggle() {
    if (this.current) {
      const own = this.current;
      this.current = null;
      own.player.audio.pause();
    } else this.start(this.rungs[0]);
    this.draw();
  }

  start(rung) {
    this.current = rung;
    if (rung.player.audio.currentTime) rung.player.audio.currentTime = 0;
    rung.player.play();
  }

  after(rung) {
    if (this.current !== rung) return;
    const next = this.rungs[this.rungs.indexOf(rung) + 1];
    if (next) this.start(next);
    else this.current = null;
    this.draw();
  }

  stopped(rung) {
    if (this.current !== rung) return;
    this.current = null;
    this.draw();
  }

  draw() {
    const words = this.current ? "Stop" : this.data.play;
    this.button.replaceChildren(`${this.current ? "❚❚" : "►"} ${words} `, element("kbd", {}, "P"));
    this.button.setAttribute("aria-pressed", Boolean(this.current));
    for (const rung of this.rungs) rung.root.classList.toggle("now", rung === this.current);
  }

  leave() {
    for (const rung of this.rungs) rung.leave();
    ladders.delete(this);
    this.root.remove();
  }
}

export default function ({ parentElement, data: [data] }) {
  return mountOnce(parentElement, (root) => new Ladder(root), (ladder) => ladder.show(data));
}

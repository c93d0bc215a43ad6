// Two sounds to be compared: A and B play the same moment, and one key changes from one to the other.
class Pair {
  constructor(root) {
    root.className = "pair results";
    this.root = root;
    this.players = ["A", "B"].map(() => new Player(document.createElement("div")));
    this.names = ["A", "B"].map(() => document.createElement("h3"));
    this.button = document.createElement("button");
    this.button.type = "button";
    this.button.className = "all";
    this.button.textContent = "Change between A and B (X)";
    this.button.onclick = () => this.change();
    root.append(this.button);
    this.players.forEach((player, place) => {
      const side = document.createElement("section");
      side.append(this.names[place], player.root);
      root.append(side);
      player.audio.addEventListener("play", () => this.mark());
    });
    window.messPair = this;
  }

  show(data) {
    data.sounds.forEach((sound, place) => {
      this.names[place].textContent = `${"AB"[place]}: ${sound.label}`;
      this.players[place].show(sound);
    });
    this.mark();
  }

  // Both are loaded before the first change, so it is heard at once.
  change() {
    const sounding = this.players.findIndex((player) => !player.audio.paused);
    const from = sounding < 0 ? this.heard ?? 1 : sounding;
    const [now, other] = [this.players[from], this.players[1 - from]];
    const at = now.at();
    other.moveTo(Math.min(at, other.length() - 0.1));
    other.play();
    now.load();
    now.audio.preload = "auto";
  }

  mark() {
    const sounding = this.players.findIndex((player) => !player.audio.paused);
    if (sounding >= 0) this.heard = sounding;
    this.names.forEach((name, place) => name.classList.toggle("heard", place === this.heard));
  }

  leave() {
    if (window.messPair === this) window.messPair = null;
    for (const player of this.players) player.leave();
    this.root.remove();
  }
}

export default function ({ parentElement, data }) {
  const [pair, leave] = mountOnce(parentElement, (root) => new Pair(root));
  pair.show(data);
  return leave;
}

// Two sounds to be compared: A and B play the same moment, and one key changes from one to the other.
class Pair {
  constructor(root) {
    root.className = "pair results";
    this.root = root;
    this.players = ["A", "B"].map(() => new Player(element("div")));
    this.names = ["A", "B"].map(() => element("h3"));
    this.button = element("button", { type: "button", class: "all" }, "Change between A and B (X)");
    this.button.onclick = () => this.change();
    root.append(this.button);
    this.players.forEach((player, place) => {
      root.append(element("section", {}, this.names[place], player.root));
      player.audio.addEventListener("play", () => this.mark());
      player.audio.addEventListener("pause", () => this.rest(player));
      for (const seeks of ["click", "keydown"])
        player.wave.addEventListener(seeks, () => (player.onFirst = null));
    });
    window.messPair = this;
  }

  show(data, tell) {
    this.tell = tell;
    const others = data.sounds.map((sound) => sound.clip).join("\n");
    const begins = this.sounds !== others || (data.at !== this.at && data.at !== this.told);
    data.sounds.forEach((sound, place) => {
      this.names[place].textContent = `${"AB"[place]}: ${sound.label}`;
      this.players[place].show(sound);
    });
    if (begins) this.beginAt(data.at);
    Object.assign(this, { sounds: others, at: data.at });
    this.mark();
  }

  // Both begin at the moment that the address names; nothing is fetched before somebody listens.
  beginAt(at) {
    this.told = at;
    for (const player of this.players) {
      if (!player.audio.paused) continue;
      player.onFirst = at > 0 ? () => player.moveTo(Math.min(at, player.length() - 0.1)) : null;
      player.audio.addEventListener("play", () => {
        player.onFirst?.();
        player.onFirst = null;
      }, { once: true });
    }
  }

  // The page hears of the moment at which a person stops to listen.
  rest(player) {
    if (!player.audio.getAttribute("src") || this.players.some((one) => !one.audio.paused)) return;
    this.told = Math.round(player.at() * 10) / 10;
    this.tell("rest", this.told);
  }

  // Both are loaded before the first change, so it is heard at once.
  change() {
    const sounding = this.players.findIndex((player) => !player.audio.paused);
    const from = sounding < 0 ? this.heard ?? 1 : sounding;
    const [now, other] = [this.players[from], this.players[1 - from]];
    const at = sounding < 0 && now.onFirst ? this.told : now.at();
    for (const player of this.players) player.onFirst = null;
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

export default function ({ parentElement, data: [data], setTriggerValue }) {
  return mountOnce(
    parentElement,
    (root) => new Pair(root),
    (pair) => pair.show(data, setTriggerValue),
  );
}

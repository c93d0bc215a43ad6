// On a narrow screen the sound that was begun last has its controls at the lower edge, where a thumb
// is; the style sheet `phone.css` shows the bar. There is one for the page, beside all components.
const BAR_COLOURS = ["--st-background-color", "--st-text-color", "--st-border-color", "--st-font",
  "--st-primary-color", "--st-secondary-background-color"];

const narrowScreen = matchMedia("(max-width: 640px)");

class PlayerBar {
  constructor() {
    const button = (sign, name, act) => {
      const one = element("button", { type: "button", class: name, "aria-label": name }, sign);
      one.onclick = act;
      return one;
    };
    const about = { type: "button", class: "name", title: "Show where it is on the page" };
    this.name = element("button", about);
    this.name.onclick = () => this.player?.root.scrollIntoView({ block: "center" });
    const range = { type: "range", class: "place", min: 0, max: 1, step: 0.001 };
    this.place = element("input", { ...range, "aria-label": "Position" });
    this.place.oninput = () => this.player?.seek(Number(this.place.value), { play: this.plays() });
    this.begin = button("►", "Play", () => this.player?.toggle());
    const region = { class: "mess-player-bar", role: "region", "aria-label": "What plays" };
    this.root = element("div", { ...region, hidden: "" });
    this.root.append(
      this.name,
      this.place,
      button("❙◄", "Previous sound", () => neighbour(-1)?.play()),
      this.begin,
      button("►❙", "Next sound", () => neighbour(1)?.play()),
      button("✕", "Stop", () => this.close())
    );
    document.body.append(this.root);
  }

  plays() {
    return Boolean(this.player && !this.player.audio.paused);
  }

  close() {
    this.player?.audio.pause();
    this.follow(null);
  }

  // Shows a player, or none; to be called for each change of it. A wide screen shows none.
  follow(player) {
    this.player = player;
    this.root.hidden = !player || !narrowScreen.matches;
    if (this.root.hidden) {
      this.name.textContent = "";
      return;
    }
    const style = getComputedStyle(player.root);
    for (const name of BAR_COLOURS) this.root.style.setProperty(name, style.getPropertyValue(name));
    const playing = this.plays() && !player.audio.ended;
    this.begin.textContent = playing ? "❚❚" : "►";
    this.begin.setAttribute("aria-label", playing ? "Pause" : "Play");
    this.name.textContent = `${player.data.label} · ${player.time.textContent}`;
    this.place.value = player.at() / player.length();
    this.place.setAttribute("aria-valuetext", player.time.textContent);
  }
}

window.messBar ??= new PlayerBar();

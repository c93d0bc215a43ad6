// What holds for all players of the page: how fast they play, and whether they sound equally loud.
// Pitch stays as it is at any speed. The browser keeps both, for all its visits.
const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5];
const KEY_HINTS = [["J", "back 5 s"], ["K", "play, pause"], ["L", "on 5 s"], ["↑ ↓", "other result"],
  ["[ ]", "loop"], ["< >", "speed"]];
const playerSettings = (window.messSettings ??= { ...keptSettings(), tools: new Set() });

// What was kept may be of an earlier version, or another program's: only what can be chosen is taken.
function keptSettings() {
  const speed = Number(remembered("player-speed"));
  const matched = remembered("player-matched") !== "false";
  return { speed: SPEEDS.includes(speed) ? speed : 1, matched };
}

function setPlayers(change) {
  Object.assign(playerSettings, change);
  remember("player-speed", playerSettings.speed);
  remember("player-matched", playerSettings.matched);
  for (const player of window.messPlayers) player.follow();
  for (const tools of playerSettings.tools) tools.show();
}

function changeSpeed(step) {
  const place = SPEEDS.indexOf(playerSettings.speed) + step;
  setPlayers({ speed: SPEEDS[Math.min(Math.max(place, 0), SPEEDS.length - 1)] });
}

// The row above a list of players: the keys, the speed, the loudness.
class PlayerTools {
  constructor() {
    const speeds = SPEEDS.map((speed) => new Option(`${speed}×`, speed));
    this.speed = element("select", { "aria-label": "Speed" }, ...speeds);
    this.speed.onchange = () => setPlayers({ speed: Number(this.speed.value) });
    this.matched = element("button", {
      type: "button", class: "values",
      title: "Play all recordings equally loud (−23 LUFS), or as they are",
    }, "same loudness");
    this.matched.onclick = () => setPlayers({ matched: !playerSettings.matched });
    const hint = element("span", { class: "hint" });
    for (const [key, does] of KEY_HINTS) hint.append(element("kbd", {}, key), ` ${does} `);
    this.root = element("div", { class: "tools" }, hint, this.speed, this.matched);
    playerSettings.tools.add(this);
    this.show();
  }

  show() {
    this.speed.value = playerSettings.speed;
    this.matched.setAttribute("aria-pressed", playerSettings.matched);
  }

  leave() {
    playerSettings.tools.delete(this);
  }
}

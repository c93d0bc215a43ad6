// Blind listening. The server is asked for one trial at a time; what it is about, which recording is
// heard and what a method says of it never reaches the page.
const PARTS = ["x", "a", "b"];
const ANSWERS = { 1: "A", 2: "B", 0: "0" }; // by key
const REPLAYS = { x: "x", a: "a", b: "b" };
const HEARD_SECONDS = 1; // an excerpt counts as heard after so long
const PAUSE_MS = 350; // between excerpts that follow by themselves

async function ask(address, body) {
  const options = body && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const answer = await fetch(address, options).catch(() => null);
  if (!answer) throw new Error("The server does not answer. Nothing is lost: try again.");
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const error = new Error(content.error ?? "The server failed: try again.");
    error.refused = answer.status === 404;
    throw error;
  }
  return content;
}

function isText(target) {
  return target?.isContentEditable || /^(input|textarea|select)$/i.test(target?.tagName ?? "");
}

// One excerpt: a button that plays it from its beginning, and how far it is.
class Part {
  constructor(name, owner) {
    this.name = name;
    this.owner = owner;
    this.audio = element("audio", { preload: "auto" });
    this.bar = element("i");
    this.sign = element("span", { class: "sign", "aria-hidden": "true" }, "►");
    this.button = element(
      "button", { type: "button", class: `part ${name}`, "aria-keyshortcuts": name },
      this.sign, element("b", {}, name.toUpperCase()), element("small", {}, ""), this.bar
    );
    this.button.onclick = () => owner.play([name]);
    this.audio.addEventListener("playing", () => owner.begun());
    this.audio.addEventListener("timeupdate", () => this.draw());
    for (const event of ["play", "pause", "ended"])
      this.audio.addEventListener(event, () => this.draw());
    this.audio.addEventListener("ended", () => owner.ended(this));
    this.audio.addEventListener("error", () => owner.explain(this));
  }

  load(address) {
    this.plays = 0;
    this.heard = false;
    this.audio.src = address;
    this.draw();
  }

  async play() {
    this.audio.currentTime = 0;
    await this.audio.play();
    this.plays += 1;
  }

  draw() {
    const { audio } = this;
    const playing = !audio.paused && !audio.ended;
    if (audio.currentTime >= HEARD_SECONDS || audio.ended) this.heard = true;
    this.button.classList.toggle("playing", playing);
    this.button.classList.toggle("heard", this.heard);
    this.sign.textContent = playing ? "♪" : "►";
    this.button.setAttribute("aria-label", `Play ${this.name.toUpperCase()}`);
    this.button.setAttribute("aria-pressed", playing);
    const share = Number.isFinite(audio.duration) ? audio.currentTime / audio.duration : 0;
    this.bar.style.width = `${100 * (playing ? share : 0)}%`;
    this.owner.drawAnswers();
  }

  leave() {
    this.audio.pause();
    this.audio.removeAttribute("src");
  }
}

class Listening {
  constructor(root) {
    this.root = root;
    root.className = "listening";
    this.parts = Object.fromEntries(PARTS.map((name) => [name, new Part(name, this)]));
    this.parts.x.button.querySelector("small").textContent = "the reference";
    this.onKey = (event) => this.key(event);
    window.addEventListener("keydown", this.onKey);
    this.build();
  }

  build() {
    this.begin = element("button", { type: "button", class: "go" });
    this.intro = element("p", { class: "about" });
    this.consent = element("p", { class: "consent" });
    this.card = element("section", { class: "card start" }, this.intro, this.consent, this.begin);
    this.progress = element("progress", { max: 1, value: 0 });
    this.count = element("span", { class: "count" });
    this.fresh = element("span", { class: "fresh" }, "New question");
    this.question = element("h2", { tabindex: "-1" });
    this.meaning = element("p", { class: "meaning" });
    this.again = element("button", { type: "button", class: "again" }, "Play all three again");
    this.again.onclick = () => this.play(PARTS);
    this.answers = ["A is closer", "B is closer", "Can’t tell"].map((text, place) => {
      const key = String((place + 1) % 3);
      const button = element(
        "button", { type: "button", class: "answer", "aria-keyshortcuts": key },
        text, element("kbd", { "aria-hidden": "true" }, key)
      );
      button.onclick = () => this.answer(ANSWERS[key]);
      return button;
    });
    this.status = element("p", { class: "status", role: "status", "aria-live": "polite" });
    this.trial = element(
      "section", { class: "card trial" },
      element("div", { class: "head" }, this.progress, this.count),
      element("div", { class: "ask" }, this.fresh, this.question, this.meaning),
      element("div", { class: "sounds" }, ...PARTS.map((name) => this.parts[name].button)),
      this.again,
      element("p", { class: "hint" }, "Listen to all three, then answer."),
      element("div", { class: "answers", role: "group", "aria-label": "Your answer" }, ...this.answers),
      element(
        "p", { class: "foot" },
        "You can stop at any time: what you answered is kept, and this page goes on from there. ",
        element("span", { class: "keys" }, "Keys: X, A, B play; space plays all; 1, 2, 0 answer.")
      )
    );
    this.root.append(this.card, this.trial, this.status);
  }

  show(data) {
    if (this.data?.plan === data.plan) return;
    this.data = data;
    this.intro.textContent = data.about;
    this.consent.textContent = data.consent;
    this.stop();
    this.state = null;
    this.draw();
    const session = remembered(`listening-${data.plan}`);
    if (session) this.resume(session);
  }

  async resume(session) {
    try {
      this.take(await ask(`/listening/now?session=${encodeURIComponent(session)}`));
    } catch (error) {
      if (error.refused) remember(`listening-${this.data.plan}`, null);
      else this.say(error.message);
    }
  }

  // What the server says of the session; the sounds of its next trial are loaded.
  take(state) {
    const last = this.state?.trial;
    this.state = state;
    remember(`listening-${this.data.plan}`, state.trial ? state.session : null);
    remember("listening-listener", state.listener);
    this.started = null;
    if (state.trial) {
      this.isNew = !last || last.word !== state.trial.word;
      for (const name of PARTS) this.parts[name].load(state.trial.sounds[name]);
    }
    this.say("");
    this.draw();
  }

  draw() {
    const trial = this.open ? this.state?.trial : null;
    this.card.hidden = Boolean(trial);
    this.trial.hidden = !trial;
    if (!trial) {
      const { state } = this;
      const some = state && state.done > 0;
      const ended = state && !state.trial;
      this.intro.textContent = ended
        ? `Thank you: all ${state.total} answers are kept.`
        : some
          ? `${state.done} of ${state.total} answers are kept. Go on where you were.`
          : this.data.about;
      this.consent.hidden = Boolean(some);
      this.begin.textContent = ended ? "Listen to more" : some ? "Go on" : "I agree: begin";
      this.begin.onclick = () => (ended || !state ? this.start() : this.enter());
      return;
    }
    const { done, total } = this.state;
    this.progress.max = total;
    this.progress.value = done;
    this.progress.setAttribute("aria-label", `${done} of ${total} answered`);
    this.count.textContent = `${done + 1} of ${total}`;
    this.fresh.hidden = !this.isNew;
    this.question.replaceChildren("Which is closer to X in ", element("em", {}, trial.word), "?");
    this.meaning.textContent = trial.meaning;
    this.drawAnswers();
  }

  drawAnswers() {
    if (!this.answers) return;
    const all = PARTS.every((name) => this.parts[name].heard);
    for (const button of this.answers) button.disabled = !all || Boolean(this.sending);
    this.trial.classList.toggle("ready", all);
  }

  async start() {
    this.begin.disabled = true;
    try {
      const listener = remembered("listening-listener") ?? "";
      this.state = null;
      this.take(await ask("/listening/begin", { plan: this.data.plan, listener }));
      this.enter();
    } catch (error) {
      this.say(error.message);
    }
    this.begin.disabled = false;
  }

  enter() {
    this.open = true;
    this.draw();
    this.question.focus({ preventScroll: true });
    this.trial.scrollIntoView({ block: "nearest" });
    this.play(PARTS);
  }

  // Plays parts one after another; any other click or key ends that.
  async play(names) {
    this.stop();
    this.rest = [...names];
    await this.next();
  }

  async next() {
    const name = this.rest.shift();
    if (!name) return;
    try {
      await this.parts[name].play();
      this.say("");
    } catch (error) {
      if (error.name === "NotAllowedError") this.say("Press X to begin.");
    }
  }

  ended(part) {
    if (!this.rest?.length) return;
    const rest = this.rest;
    this.pause = setTimeout(() => {
      if (this.rest === rest) this.next();
    }, PAUSE_MS);
  }

  stop() {
    clearTimeout(this.pause);
    this.rest = [];
    for (const name of PARTS) this.parts[name].audio.pause();
  }

  begun() {
    this.started ??= performance.now();
  }

  async answer(choice) {
    if (this.sending || !this.state?.trial || this.answers[0].disabled) return;
    const said = {
      session: this.state.session,
      trial: this.state.trial.number,
      answer: choice,
      seconds: (performance.now() - this.started) / 1000,
      plays: Object.fromEntries(PARTS.map((name) => [name, this.parts[name].plays])),
    };
    this.stop();
    this.sending = true;
    this.drawAnswers();
    let kept = false;
    try {
      this.take(await ask("/listening/answer", said));
      kept = true;
    } catch (error) {
      this.say(error.message);
    }
    this.sending = false;
    this.drawAnswers();
    if (!kept) return;
    if (this.state.trial) this.play(PARTS);
    else {
      this.open = false;
      this.draw();
      this.begin.focus({ preventScroll: true });
    }
  }

  async explain(part) {
    const address = part.audio.getAttribute("src");
    if (!address) return;
    this.stop();
    const answer = await fetch(address).catch(() => null);
    const text = answer && !answer.ok ? await answer.text() : "this sound cannot be played";
    this.say(`${part.name.toUpperCase()}: ${text}`);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (isText(event.composedPath()[0]) || !this.open || !this.state?.trial) return;
    const key = event.key.toLowerCase();
    if (key in ANSWERS) this.answer(ANSWERS[key]);
    else if (key in REPLAYS) this.play([key]);
    else if (key === " ") this.play(PARTS);
    else return;
    event.preventDefault();
  }

  say(text) {
    this.status.textContent = text;
  }

  leave() {
    window.removeEventListener("keydown", this.onKey);
    this.stop();
    for (const name of PARTS) this.parts[name].leave();
    this.root.remove();
  }
}

export default function ({ parentElement, data: [data] }) {
  return mountOnce(
    parentElement,
    (root) => new Listening(root),
    (listening) => listening.show(data),
  );
}

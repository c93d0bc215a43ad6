// A waveform over its spectrogram; a click, or an arrow key, picks the window that it falls in.
class Picker {
  constructor(root) {
    root.className = "picker";
    this.root = root;
    this.wave = element("canvas");
    this.image = element("img");
    this.mark = element("div", { class: "window" });
    this.under = element("div", { class: "under" });
    this.field = element("div", { class: "field", tabindex: "0", role: "slider" },
      this.wave, this.image, this.under, this.mark);
    this.scale = element("div", { class: "scale" });
    root.append(this.field, this.scale);
    this.field.onpointermove = (event) => this.place(this.under, this.windowAt(this.share(event)));
    this.field.onclick = (event) => this.choose(this.windowAt(this.share(event)));
    this.field.onkeydown = (event) => {
      const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      this.choose(this.chosen + step);
    };
    this.image.onerror = () => this.say();
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(this.wave);
  }

  share(event) {
    const box = this.field.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 0.99999);
  }

  windowAt(share) {
    const at = share * this.data.duration;
    const { count, duration, step, window } = this.data;
    // Parts that overlap are picked by their middle.
    if (step < window) return Math.min(Math.max(Math.round((at - window / 2) / step), 0), count - 1);
    if (at >= duration - window) return count - 1;
    return Math.min(Math.floor(at / window), count - 1);
  }

  span(number) {
    const latest = Math.max(this.data.duration - this.data.window, 0);
    const start = Math.min(number * this.data.step, latest);
    return [start, Math.min(start + this.data.window, this.data.duration)];
  }

  place(mark, number) {
    const [start, end] = this.span(number);
    mark.style.left = `${(100 * start) / this.data.duration}%`;
    mark.style.width = `${(100 * (end - start)) / this.data.duration}%`;
  }

  show(data, tell) {
    this.tell = tell;
    const other = this.data?.peaks !== data.peaks;
    this.data = data;
    this.chosen = data.chosen;
    this.field.setAttribute("aria-label", data.label);
    if (other) {
      this.peaks = null;
      this.image.alt = `Spectrogram of ${data.name}`;
      this.image.src = data.spectrogram;
      this.fetchPeaks(data.peaks);
      const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) =>
        element("span", {}, clock(part * data.duration)));
      this.scale.className = "scale";
      this.scale.replaceChildren(...ticks);
    }
    this.draw();
  }

  async fetchPeaks(wanted) {
    const answer = await fetch(wanted).catch(() => null);
    if (this.data.peaks !== wanted || !answer?.ok) return;
    this.peaks = await answer.json();
    this.draw();
  }

  async say() {
    const answer = await fetch(this.data.spectrogram).catch(() => null);
    this.scale.className = "bad";
    this.scale.textContent =
      answer && !answer.ok ? await answer.text() : "the spectrogram cannot be shown";
  }

  choose(number) {
    number = Math.min(Math.max(number, 0), this.data.count - 1);
    if (number === this.chosen) return;
    this.chosen = number;
    this.draw();
    this.tell("picked", number);
  }

  draw() {
    if (!this.data) return;
    this.place(this.mark, this.chosen);
    const [start, end] = this.span(this.chosen);
    this.field.setAttribute("aria-valuemin", 0);
    this.field.setAttribute("aria-valuemax", this.data.count - 1);
    this.field.setAttribute("aria-valuenow", this.chosen);
    this.field.setAttribute("aria-valuetext", `${clock(start)} to ${clock(end)}`);
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(this.wave.clientWidth * ratio);
    const height = Math.round(this.wave.clientHeight * ratio);
    if (!width || !height) return;
    this.wave.width = width;
    this.wave.height = height;
    if (!this.peaks) return;
    const pen = this.wave.getContext("2d");
    pen.fillStyle = getComputedStyle(this.root).getPropertyValue("--st-text-color") || "#888";
    pen.globalAlpha = 0.55;
    const loudest = Math.max(...this.peaks, 1e-6);
    const bars = Math.max(1, Math.floor(width / (2 * ratio)));
    for (let bar = 0; bar < bars; bar++) {
      const peak = this.peaks[Math.floor((bar / bars) * this.peaks.length)] / loudest;
      const tall = Math.max(ratio, peak * height);
      pen.fillRect(bar * 2 * ratio, (height - tall) / 2, 1.4 * ratio, tall);
    }
  }

  leave() {
    this.resized.disconnect();
    this.root.remove();
  }
}

export default function ({ parentElement, data: [data], setTriggerValue }) {
  return mountOnce(
    parentElement,
    (root) => new Picker(root),
    (picker) => picker.show(data, setTriggerValue),
  );
}

// The jobs that run or wait. The page is run again only when a job was added, started or ended;
// how far they are is asked for and drawn here. A page that nobody looks at asks nothing.
const BUSY = 1000, IDLE = 3000, PATIENCE = 15000; // milliseconds
const narrow = matchMedia("(max-width: 640px)");

class Row {
  constructor(id, cancel) {
    this.root = element("section");
    this.name = element("strong");
    this.bar = element("progress");
    this.text = element("p", { class: "text" });
    this.current = element("p", { class: "current" });
    this.log = element("pre");
    this.details = element("details", {}, element("summary", {}, "Log"), this.log);
    this.button = element("button", { type: "button" });
    this.button.onclick = () => {
      this.button.disabled = true;
      cancel(id);
    };
    this.root.append(this.name, this.bar, this.text, this.current, this.details, this.button);
  }

  show(job) {
    const waits = job.state === "queued";
    this.root.setAttribute("aria-label", job.name);
    this.name.textContent = job.name;
    this.bar.hidden = this.details.hidden = waits;
    this.bar.setAttribute("aria-label", job.text);
    if (job.share === null || job.state === "cancelling") this.bar.removeAttribute("value");
    else this.bar.value = job.share;
    this.text.textContent = job.text;
    this.current.textContent = job.current;
    this.current.hidden = !job.current;
    this.log.textContent = job.log || "nothing yet";
    this.button.textContent = waits ? "Remove" : "Cancel";
    this.button.disabled = job.state === "cancelling";
  }
}

class Running {
  constructor(root) {
    this.root = root;
    this.root.className = "running";
    this.rows = new Map();
    this.count = element("summary");
    this.others = element("details", {}, this.count);
    // What stays in sight below these lines, or is scrolled to, leaves room for them.
    this.measure = new ResizeObserver(() => this.tellHeight(this.root.offsetHeight));
    this.measure.observe(this.root);
    this.wake = () => this.look();
    document.addEventListener("visibilitychange", this.wake);
    this.look();
  }

  update(data, tell) {
    this.tell = tell;
    this.url = data.url;
    this.told = this.seen = data.stamp;
    this.show(data.jobs);
  }

  show(jobs) {
    for (const [id, row] of this.rows)
      if (!jobs.some((job) => job.id === id)) {
        row.root.remove();
        this.rows.delete(id);
      }
    const rows = narrow.matches ? 1 : 2; // with a line of their own; the others are folded
    jobs.forEach((job, place) => {
      if (!this.rows.has(job.id))
        this.rows.set(job.id, new Row(job.id, (id) => this.tell("cancel", id)));
      const row = this.rows.get(job.id);
      row.show(job);
      (place < rows ? this.root : this.others).append(row.root);
    });
    this.count.textContent = `${jobs.length - rows} more`;
    this.others.hidden = jobs.length <= rows;
    this.root.append(this.others);
    // The style sheet of the page keeps these lines in sight while there are any.
    const place = this.root.getRootNode().host?.closest("[class*='st-key-running-jobs']");
    place?.toggleAttribute("data-busy", jobs.length > 0);
    this.tellHeight(this.root.offsetHeight);
  }

  tellHeight(height) {
    const room = this.rows.size ? height : 0;
    document.documentElement.style.setProperty("--mess-jobs", `${room}px`);
  }

  async look() {
    clearTimeout(this.timer);
    if (this.gone) return;
    if (!document.hidden && this.url) {
      try {
        const answer = await (await fetch(this.url)).json();
        if (this.gone) return;
        if (answer.stamp === this.seen) this.show(answer.jobs);
        else if (answer.stamp !== this.told || Date.now() - this.asked > PATIENCE) {
          this.asked = Date.now();
          this.tell("changed", (this.told = answer.stamp));
        }
      } catch {
        // The server is away; the next look may find it again.
      }
    }
    this.timer = setTimeout(this.wake, this.rows.size ? BUSY : IDLE);
  }

  leave() {
    this.gone = true;
    this.measure.disconnect();
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.wake);
    this.root.remove();
  }
}

export default function ({ parentElement, data: [data], setTriggerValue }) {
  return mountOnce(
    parentElement,
    (root) => new Running(root),
    (running) => running.update(data, setTriggerValue),
  );
}

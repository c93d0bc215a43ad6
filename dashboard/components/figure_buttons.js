// Saves a chart of the page through the camera of its own tool bar, which knows how to draw it;
// before that the chart is told the format and the name of the file.
const INK = "#222222";
// A picture is drawn without the page's own fonts: room is measured in what it is drawn in.
const FAMILY = "Arial, Helvetica, sans-serif";

class FigureButtons {
  constructor(root) {
    root.className = "buttons";
    this.root = root;
    const buttons = ["png", "svg"].map((format) => {
      const button = element("button", { type: "button" }, `Figure as ${format.toUpperCase()}`);
      button.onclick = () => save(this, format);
      return button;
    });
    this.note = element("span", { class: "note", role: "status" });
    root.append(...buttons, this.note);
  }

  leave() {
    this.root.remove();
  }
}

export default function ({ parentElement, data: [data] }) {
  return mountOnce(
    parentElement,
    (root) => new FigureButtons(root),
    (buttons) => Object.assign(buttons, data),
  );
}

function save({ chart: key, name, note }, format) {
  const chart = document.querySelector(`.st-key-${CSS.escape(key)} .js-plotly-plot`);
  const camera = chart?.querySelector('.modebar-btn[data-title*="ownload"]');
  if (!camera || !chart._context) {
    note.textContent = "The chart is not on the page yet: try again.";
    return;
  }
  // Without a size Plotly takes 700 × 450, in which long labels have no room.
  const { width, height } = chart._fullLayout;
  chart._context.toImageButtonOptions = { format, filename: name, scale: 2, width, height };
  note.textContent = "";
  const shown = chart.layout;
  chart.layout = onPaper(shown); // copied by the camera before its click returns
  try {
    camera.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  } finally {
    chart.layout = shown;
  }
}

// A saved figure is read on white, whatever the theme of the page: a copy with dark text on it.
function onPaper(value, name = "layout") {
  if (Array.isArray(value)) return value.map((one) => onPaper(one, name));
  if (value === null || typeof value !== "object") {
    if (typeof value === "string" && /(grid|line|tick|border)color$/.test(name)) return "#bbbbbb";
    return value;
  }
  const copy = {};
  for (const [key, one] of Object.entries(value)) copy[key] = onPaper(one, key);
  if (/font$/.test(name)) {
    if ("color" in copy) copy.color = INK;
    if ("family" in copy) copy.family = FAMILY;
  }
  if (name !== "layout") return copy;
  const font = { ...copy.font, color: INK, family: FAMILY };
  return { ...copy, paper_bgcolor: "#ffffff", plot_bgcolor: "#ffffff", font };
}

// Saves a chart of the page through the camera of its own tool bar, which knows how to draw it;
// before that the chart is told the format and the name of the file.
export default function (component) {
  const { parentElement, data } = component;
  let box = parentElement.querySelector(".buttons");
  if (!box) {
    box = document.createElement("div");
    box.className = "buttons";
    for (const format of ["png", "svg"]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `Figure as ${format.toUpperCase()}`;
      button.onclick = () => save(box, format);
      box.append(button);
    }
    const note = document.createElement("span");
    note.className = "note";
    note.setAttribute("role", "status");
    box.append(note);
    parentElement.append(box);
  }
  box.wanted = data;
}

function save(box, format) {
  const chart = document.querySelector(`.st-key-${CSS.escape(box.wanted.chart)} .js-plotly-plot`);
  const camera = chart?.querySelector('.modebar-btn[data-title*="ownload"]');
  const note = box.querySelector(".note");
  if (!camera || !chart._context) {
    note.textContent = "The chart is not on the page yet: try again.";
    return;
  }
  chart._context.toImageButtonOptions = { format, filename: box.wanted.name, scale: 2 };
  note.textContent = "";
  camera.dispatchEvent(new MouseEvent("click", { bubbles: true }));
}

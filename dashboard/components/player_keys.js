// The keyboard of the players. The page listens once, however many components with players it has.
const SEEK_SECONDS = { j: -5, l: 5 };
const NEIGHBOURS = { arrowup: -1, arrowdown: 1 }; // steps in the order of the page
const SPEED_STEPS = { "<": -1, ">": 1 };
const LOOP_EDGES = { "[": 0, "]": 1 };
const TYPING = /^(textarea|select)$/i;
const NO_TEXT = /^(range|checkbox|radio|button|submit)$/i;
// What uses the key itself, wherever the focus is.
const OWN_ARROWS = "input, select, textarea, [role=slider]:not(.wave), [role=tab], [role=radio], " +
  "[role=option], [role=combobox], [role=listbox], [role=menuitem], [role=grid]";
const OWN_SPACE = `${OWN_ARROWS}, button, summary, .wave`;

function isTyping(target) {
  if (target.isContentEditable || TYPING.test(target.tagName ?? "")) return true;
  return /^input$/i.test(target.tagName ?? "") && !NO_TEXT.test(target.type);
}

function inThePage(node) {
  const root = node.getRootNode();
  return root instanceof ShadowRoot ? inThePage(root.host) : node;
}

function isBefore(a, b) {
  const [one, other] = a.getRootNode() === b.getRootNode() ? [a, b] : [a, b].map(inThePage);
  return one.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING;
}

// In the order of the document: of two columns the left one comes first, even where the title in it
// has a line more and its player stands below the first one of the right column.
function playersInOrder() {
  return [...window.messPlayers]
    .filter((player) => player.root.isConnected)
    .sort((a, b) => (isBefore(a.root, b.root) ? -1 : 1));
}

function neighbour(step) {
  const order = playersInOrder();
  const current = order.indexOf(window.messCurrent);
  return order[current < 0 ? 0 : Math.min(Math.max(current + step, 0), order.length - 1)];
}

// Arrows scroll the page, but where something plays, or the focus is in a list of players.
function listens(current, target) {
  if (target.closest?.(OWN_ARROWS)) return false;
  return !current.audio.paused || Boolean(target.closest?.(".player, .results"));
}

// Tells whether a key did something.
function onPlayerKey(key, target) {
  const current = window.messCurrent?.root.isConnected ? window.messCurrent : null;
  if (key === "k") neighbour(0)?.toggle();
  else if (key === "x" && window.messPair) window.messPair.change();
  else if (key in SEEK_SECONDS) current?.skip(SEEK_SECONDS[key]);
  else if (key in SPEED_STEPS) changeSpeed(SPEED_STEPS[key]);
  else if (key in LOOP_EDGES) current?.mark(LOOP_EDGES[key]);
  else if (!current) return false;
  else if (key === " " && !target.closest?.(OWN_SPACE)) current.toggle();
  else if (key in NEIGHBOURS && listens(current, target)) neighbour(NEIGHBOURS[key])?.play();
  else return false;
  return true;
}

function listenToKeys(event) {
  const target = event.composedPath()[0];
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(target))
    return;
  if (onPlayerKey(event.key.toLowerCase(), target)) event.preventDefault();
}

window.messPlayers ??= new Set();
if (!window.messKeys) {
  window.messKeys = true;
  window.addEventListener("keydown", listenToKeys);
}

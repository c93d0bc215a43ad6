// The keyboard of the players: J plays the previous one on the page, K plays or pauses, L plays
// the next. The page listens once, however many components with players it has.
const PLAYER_KEYS = { j: -1, k: 0, l: 1 }; // steps in the order of the page
const TYPING = /^(textarea|select)$/i;
const NO_TEXT = /^(range|checkbox|radio|button|submit)$/i;

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

function onPlayerKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.composedPath()[0])) return;
  const step = PLAYER_KEYS[event.key.toLowerCase()];
  if (step === undefined) return;
  const order = playersInOrder();
  const current = order.indexOf(window.messCurrent);
  const next = order[current < 0 ? 0 : Math.min(Math.max(current + step, 0), order.length - 1)];
  if (!next) return;
  if (step === 0) next.toggle();
  else next.play();
}

window.messPlayers ??= new Set();
if (!window.messKeys) {
  window.messKeys = true;
  window.addEventListener("keydown", onPlayerKey);
}

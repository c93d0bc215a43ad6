// A single player.
export default function ({ parentElement, data }) {
  const [player, leave] = mountOnce(mounted, parentElement, (root) => new Player(root));
  player.show(data);
  return leave;
}

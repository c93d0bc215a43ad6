// A component that is one player.
export default function ({ parentElement, data: [data] }) {
  const [player, leave] = mountOnce(parentElement, (root) => new Player(root));
  player.show(data);
  return leave;
}

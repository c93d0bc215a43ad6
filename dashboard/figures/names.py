"""How rows and columns of a heatmap are named: targets with their families, layers."""

from mess.records.discovery import DiscoveryRecord
from mess.targets import ALL_TARGETS


def family_of(target: str) -> str:
    """Return the family of a target, "other" if this version does not know it."""
    return ALL_TARGETS[target].family if target in ALL_TARGETS else "other"


def about(target: str) -> str:
    """Return one plain sentence about a target, with its unit."""
    known = ALL_TARGETS.get(target)
    if known is None:
        return "This version does not know it."
    return f"{known.description} Unit: {known.unit}." if known.unit else known.description


def layer_labels(record: DiscoveryRecord) -> list[str]:
    """Return the number of each layer, with its name where it has one."""
    return [
        name if name == str(number) else f"{number} {name}"
        for number, name in enumerate(record.layer_names)
    ]

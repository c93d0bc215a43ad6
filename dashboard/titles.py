"""The title of each page, by its path in the address."""

from collections.abc import Mapping

TITLES: Mapping[str, str] = {
    "": "MESS: hear what a music model knows",
    "discovery": "Layer discovery",
    "compare": "Compare encoders",
    "recommend": "Recommend",
    "passages": "Passages",
    "in_time": "In time",
    "doses": "Change the music",
    "listen": "Listen and judge",
    "your_audio": "Your audio",
    "basket": "Basket",
    "map": "Map",
    "repeats": "Copies and works",
    "targets": "Targets",
    "experiments": "Experiments",
}

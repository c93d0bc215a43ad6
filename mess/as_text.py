"""Numbers and names as people read them: scores, durations, sizes, identifiers.

Examples
--------
>>> two_decimals(-0.001), two_decimals(None)
('0.00', '–')
>>> clock(61.2), duration(150), size(1_234_000)
('1:01', '2 min', '1.2 MB')
"""

import math


def as_words(name: str) -> str:
    """Return an identifier without its underscores.

    >>> as_words("rhythmic_energy")
    'rhythmic energy'
    """
    return name.replace("_", " ")


def two_decimals(value: float | None) -> str:
    """Return a number with two decimals, never "-0.00"; a dash where it is undefined.

    >>> two_decimals(0.456), two_decimals(float("nan"))
    ('0.46', '–')
    """
    if value is None or math.isnan(value):
        return "–"
    return f"{round(value, 2) + 0.0:.2f}"


def signed(value: float | None) -> str:
    """Return a difference with its sign and two decimals; a dash where it is undefined.

    >>> signed(0.456), signed(-0.001)
    ('+0.46', '0.00')
    """
    text = two_decimals(value)
    return f"+{text}" if value is not None and value > 0 and text != "0.00" else text


def interval(low: float | None, high: float | None) -> str:
    """Return an interval with two decimals.

    >>> interval(0.456, 0.789)
    '[0.46, 0.79]'
    """
    return f"[{two_decimals(low)}, {two_decimals(high)}]"


def with_interval(value: float | None, low: float | None, high: float | None) -> str:
    """Return a number with its interval, and alone where the interval is not known.

    >>> with_interval(0.5, 0.456, 0.789), with_interval(0.5, None, None)
    ('0.50 [0.46, 0.79]', '0.50')
    """
    text = two_decimals(value)
    return text if low is None or high is None else f"{text} {interval(low, high)}"


def counted(number: int, what: str) -> str:
    """Return a number of things, of one or of many.

    >>> counted(1, "track"), counted(1_200, "track")
    ('1 track', '1,200 tracks')
    """
    return f"{number:,} {what}" + "s" * (number != 1)


def clock(seconds: float) -> str:
    """Return a moment of a recording as minutes and seconds.

    >>> clock(61.2)
    '1:01'
    """
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"


def duration(seconds: float) -> str:
    """Return a duration in the unit that suits it.

    >>> duration(42), duration(150), duration(5400)
    ('42 s', '2 min', '1.5 h')
    """
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3570 else f"{seconds / 3600:.1f} h"


def size(number: float) -> str:
    """Return a number of bytes in powers of ten.

    >>> size(999), size(1_234_000)
    ('999 B', '1.2 MB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if number < 999.5:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"

"""A recorded run, as MLflow's client tells it to other processes."""

from dataclasses import dataclass

from mess.records.base import Record


@dataclass(frozen=True, kw_only=True)
class RunRecord(Record):
    """One run of the experiment.

    Attributes
    ----------
    id, name, experiment, status : str
        As MLflow has them.
    started, ended : int or None
        Milliseconds since the epoch; ``ended`` is None while it runs.
    params, tags : dict of str to str
    score : float or None
        The mean nested R² over targets, None where a run has none.
    """

    id: str
    name: str
    experiment: str
    status: str
    started: int | None
    ended: int | None
    params: dict[str, str]
    tags: dict[str, str]
    score: float | None

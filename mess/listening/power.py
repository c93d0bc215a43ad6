"""Power: what a listening test can tell, before anybody listens.

Task: n listeners judge m items each, all the same ones. A method agrees with them in a share p of
the answers. How surely is p told from 0.5, which chance reaches?

Conventions: answers about one item resemble each other, and so do answers of one listener. The
*intraclass correlations* say how much: the share of the variance of a single answer that is the
item's, and the listener's. Then the variance of the share of agreement is

    p (1 − p) · [ρ_listener / n + ρ_item / m + (1 − ρ_listener − ρ_item) / (n m)],

as in any crossed design of two random factors (Searle et al. 1992). The interval of
`mess.listening.agreement` is a little too wide: the two-way bootstrap counts the last part three
times (Owen 2007). An agreement is *told* from chance if this interval lies above 0.5.

References
----------
A. B. Owen: The pigeonhole bootstrap. Annals of Applied Statistics 1(2), 2007.
S. R. Searle, G. Casella, C. E. McCulloch: Variance Components. Wiley, 1992.

Examples
--------
>>> round(power(5, 24, agreement=0.75), 2)
0.95
>>> round(least_agreement(5, 24), 2)
0.71
"""

import numpy as np

RHO_ITEM = 0.2  # assumed where nothing is known: some triplets are clear to all, some to nobody
RHO_LISTENER = 0.02  # assumed: listeners who passed the checks are about equally reliable
POWER = 0.8
_QUANTILE = 1.959964  # of the normal distribution, two-sided 5 %
_TOO_WIDE = 3  # how often the bootstrap counts the variance of single answers


def standard_error(
    listeners: int,
    items: int,
    *,
    agreement: float,
    rho_item: float = RHO_ITEM,
    rho_listener: float = RHO_LISTENER,
    bootstrapped: bool = False,
) -> float:
    """Return the standard error of a share of agreement.

    Parameters
    ----------
    listeners, items : int
    agreement : float
        The true share.
    rho_item, rho_listener : float
    bootstrapped : bool
        What the two-way bootstrap takes it for, on average.
    """
    rest = max(1 - rho_item - rho_listener, 0.0) * (_TOO_WIDE if bootstrapped else 1)
    share = rho_listener / listeners + rho_item / items + rest / (listeners * items)
    return float(np.sqrt(agreement * (1 - agreement) * share))


def power(
    listeners: int,
    items: int,
    *,
    agreement: float,
    rho_item: float = RHO_ITEM,
    rho_listener: float = RHO_LISTENER,
) -> float:
    """Return the probability that an agreement is told from 0.5; arguments as `standard_error`."""
    from scipy.special import ndtr

    spread, taken_for = (
        standard_error(
            listeners,
            items,
            agreement=agreement,
            rho_item=rho_item,
            rho_listener=rho_listener,
            bootstrapped=bootstrapped,
        )
        for bootstrapped in (False, True)
    )
    beyond = agreement - 0.5 - _QUANTILE * taken_for
    return float(ndtr(beyond / spread)) if spread > 0 else float(beyond > 0)


def least_agreement(listeners: int, items: int, *, least: float = POWER) -> float | None:
    """Return the smallest agreement above 0.5 that is told from it with a power of ``least``.

    None where not even full agreement is.
    """
    for agreement in np.linspace(0.5, 1.0, 101)[1:]:
        if power(listeners, items, agreement=float(agreement)) >= least:
            return float(agreement)
    return None

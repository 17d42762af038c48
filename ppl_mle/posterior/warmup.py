"""Tuning of chains that move together: one step size and one scale for each coordinate, learned from all of them."""

from collections.abc import Iterator

import numpy as np

_SHRINKAGE, _DELAY, _DECAY = 0.1, 10.0, 0.75
_LONGEST = 1.1
_LEAST, _NEW = 1e-3, 0.2
_FIRST, _LAST, _LEAST_LAST, _WINDOW = 0.15, 0.1, 20, 25


class StepSize:
    """Dual averaging of the logarithm of the step size (Hoffman and Gelman 2014, section 3.2).

    The acceptance of many chains is less noisy than that of one, so it is followed less wildly than there. In
    coordinates with unit scales no step is longer than 1.1: half an orbit of a normal density takes three of them, and
    three still where they are longer, but the energy is then kept less well.

    Parameters
    ----------
    step : float
        Where to begin.
    target : float
        Mean acceptance probability to reach.
    """

    def __init__(self, step: float, target: float) -> None:
        self._target = target
        self.restart(step)

    def restart(self, step: float) -> None:
        """Forget what was learned but for a step size."""
        self._center, self._bias, self._count = np.log(step), 0.0, 0
        self.now, self._log_mean = step, np.log(step)

    def learn(self, acceptance: float) -> None:
        """Take the mean acceptance probability of one transition of all chains into account."""
        self._count += 1
        weight = 1 / (self._count + _DELAY)
        self._bias += weight * (self._target - acceptance - self._bias)
        log_step = min(self._center - np.sqrt(self._count) / _SHRINKAGE * self._bias, np.log(_LONGEST))
        share = self._count**-_DECAY
        self._log_mean += share * (log_step - self._log_mean)
        self.now = float(np.exp(log_step))

    @property
    def mean(self) -> float:
        """The step size to sample with."""
        return float(np.exp(self._log_mean))


def windows(tune: int) -> Iterator[tuple[int, int]]:
    """Stretches of the tuning after which scales are estimated, each about twice as long as the one before.

    Examples
    --------
    >>> list(windows(300)), list(windows(60)), list(windows(10))
    ([(45, 70), (70, 120), (120, 270)], [(9, 40)], [])
    """
    begin, stop = round(_FIRST * tune), tune - max(round(_LAST * tune), _LEAST_LAST)
    length = _WINDOW
    while begin + length <= stop:
        end = begin + length if begin + 3 * length <= stop else stop
        yield begin, end
        begin, length = end, 2 * length


class Acceptance:
    """The mean acceptance probability of chains, less where one of them is left behind.

    Steps that one chain cannot make are too long, however well they suit the others: the mean is multiplied by the
    ratio of the harmonic to the arithmetic mean of what each chain accepted of late.

    Parameters
    ----------
    chains : int
    usual : float
        What each is taken to accept before the first transition.

    Examples
    --------
    >>> acceptance = Acceptance(4, 0.8)
    >>> stuck = [acceptance.pooled(np.array([0.8, 0.8, 0.8, 0.0])) for _ in range(40)]
    >>> round(stuck[0], 2), round(stuck[-1], 2)
    (0.59, 0.0)
    """

    def __init__(self, chains: int, usual: float) -> None:
        self._of_late = np.full(chains, usual)

    def pooled(self, acceptance: np.ndarray) -> float:
        """What the step size is to learn of one transition of all chains."""
        self._of_late += _NEW * (acceptance - self._of_late)
        harmonic = 1 / np.mean(1 / np.maximum(self._of_late, _LEAST))
        return float(acceptance.mean() * min(harmonic / self._of_late.mean(), 1.0))


def pooled_scales(places: np.ndarray) -> np.ndarray:
    """Standard deviations of coordinates over all chains of a window, drawn a little towards 1e-3 of one as in Stan.

    Parameters
    ----------
    places : array, shape (steps, m, p)

    Returns
    -------
    array, shape (p,)
    """
    flat = places.reshape(-1, places.shape[-1])
    share = len(flat) / (len(flat) + 5.0)
    return np.asarray(np.sqrt(share * flat.var(axis=0) + (1 - share) * 1e-3))

"""What a fit says when its data are drawn again: the bootstrap, and simulation of the whole procedure."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ppl_mle.inference.resampling.bootstrap import Bootstrap, Kind, bootstrap
from ppl_mle.inference.resampling.simulate import Simulation, simulate_refit
from ppl_mle.maximize import Maximum
from ppl_mle.progress import Progress


class Resampling:
    """Bootstrap and simulation of a fit."""

    maximum: Maximum | None
    model: Any

    def _needs_graph(self, what: str) -> Maximum:
        raise NotImplementedError

    def bootstrap(
        self,
        replicates: int = 999,
        kind: Kind = "rows",
        groups: Any = None,
        random_seed: int = 0,
        progressbar: bool = True,
    ) -> Bootstrap:
        """Estimates of data sets drawn from the rows, from clusters of them, or from the fitted model.

        Every data set is fitted from the estimate, many at once and on every core; those where Newton steps do not
        contract to a maximum are diagnosed one by one as any fit is. Data sets without a finite maximum, as under
        separation, are counted in `statuses` and are NaN in `params`.

        Parameters
        ----------
        replicates : int
        kind : {"rows", "parametric"}
            `rows` draws as many rows as there are, with replacement (Efron 1979): each row counts as often as it is
            drawn. Observed variables with as many rows as one another are drawn together, as parts of the same units,
            others apart; Potentials, priors and latent densities stay as they are. A whole-number frequency weight is
            as many rows; rows with other weights are drawn alike and keep their weights.
            `parametric` draws the observed variables from the model at the estimate, latent variables too, by PyMC's
            forward sampler.
        groups : array, or dict of str to array, optional
            Group of each row; whole groups are drawn. By name where observed variables differ in length.
        random_seed : int
            The replicates do not depend on the number of cores.
        progressbar : bool
            Show a line on standard error after a second, in a terminal only.

        Returns
        -------
        Bootstrap
            With `params`, `statuses`, `bse`, `cov_params()`, `conf_int(ci_prob, method)` and `notes`.

        Raises
        ------
        RequestError
            A fit without a maximum or with Jeffreys' penalty, an observed variable without independent rows, groups
            that do not fit, or a fit that was loaded.

        Examples
        --------
        >>> import numpy as np, pymc as pm, ppl_mle
        >>> with pm.Model() as model:
        ...     p = pm.Uniform("p", 0, 1)
        ...     y = pm.Bernoulli("y", p=p, observed=np.repeat([0, 1], [70, 30]))
        >>> drawn = ppl_mle.find_MLE(model).bootstrap(999)
        >>> drawn
        Bootstrap(999 replicates of 100 rows: 999 CONVERGED; random_seed=0)
        >>> abs(float(drawn.bse["p"]) - 0.0458) < 0.003
        True
        """
        maximum = self._needs_graph("bootstrap")
        with _told("bootstrap", replicates, progressbar) as tick:
            return bootstrap(
                maximum,
                self.model,
                replicates=replicates,
                kind=kind,
                groups=groups,
                random_seed=random_seed,
                tick=tick,
            )

    def simulate_refit(
        self,
        replicates: int = 200,
        random_seed: int = 0,
        ci_prob: float = 0.95,
        method: str = "wald",
        progressbar: bool = True,
    ) -> Simulation:
        """Bias and coverage of the whole procedure, by data drawn from the fitted model and fitted again.

        Parameters
        ----------
        replicates : int
        random_seed : int
        ci_prob : float
            Content of the intervals.
        method : str
            Of the intervals, as for `conf_int`: `wald`, `profile`, `score`.
        progressbar : bool

        Returns
        -------
        Simulation
            With `table`, one row per element: true value, mean, bias, standard deviation, mean standard error and
            coverage, with Monte-Carlo errors; and `statuses`, in which data sets without a finite maximum are counted
            apart.

        Raises
        ------
        RequestError
            A fit without a maximum or with Jeffreys' penalty, nothing observed, or a fit that was loaded.

        Examples
        --------
        >>> import numpy as np, pymc as pm, ppl_mle
        >>> with pm.Model() as model:
        ...     mu, sigma = pm.Flat("mu"), pm.HalfFlat("sigma")
        ...     y = pm.Normal("y", mu, sigma, observed=np.arange(10.0))
        >>> found = ppl_mle.find_MLE(model).simulate_refit(400)
        >>> bool(abs(found.table.bias["mu"]) < 4 * found.table.bias_mcse["mu"]), bool(found.table.bias["sigma"] < 0)
        (True, True)
        """
        maximum = self._needs_graph("simulate_refit")
        with _told("simulation", replicates, progressbar) as tick:
            return simulate_refit(
                maximum,
                self.model,
                replicates=replicates,
                random_seed=random_seed,
                ci_prob=ci_prob,
                method=method,
                tick=tick,
            )


@contextmanager
def _told(what: str, count: Any, visible: bool) -> Iterator[Callable[[int], None]]:
    """Progress that counts data sets; an interrupt carries how many were done as its message."""
    with Progress(what, visible) as progress:
        try:
            yield lambda done: progress.say(f"{done} of {count} data sets")
        except KeyboardInterrupt as exc:
            raise KeyboardInterrupt(f"at {progress.reached}") from exc

"""Marginal effects, contrasts and predictions through the package `marginaleffects`."""

from collections.abc import Callable
from functools import cache, cached_property, partialmethod
from typing import Any

import numpy as np
import pandas as pd

from ppl_mle.errors import DataError, RequestError
from ppl_mle.fit import Fit
from ppl_mle.inference.delta import propagate
from ppl_mle.inference.hypotheses.demands import demand_maximum
from ppl_mle.maximize import Maximum
from ppl_mle.read.rebuilt import respond_to_frame
from ppl_mle.read.responding import Response
from ppl_mle.read.response import read_response, response_at

_VERBS = ("slopes", "avg_slopes", "comparisons", "avg_comparisons", "predictions", "avg_predictions")


def as_marginaleffects(
    fit: Fit,
    data: pd.DataFrame,
    *,
    build_model: Callable[[pd.DataFrame], Any] | None = None,
    var_name: str | None = None,
) -> Any:
    """The fit as a model of the package `marginaleffects` (Arel-Bundock, Greifer and Heiss 2024).

    What it returns has that package's `slopes`, `avg_slopes`, `comparisons`, `avg_comparisons`, `predictions` and
    `avg_predictions` as methods with their arguments, and goes into its functions, `hypotheses` among them. These
    differentiate the mean of the response at frames of their making, and in the parameters for the standard errors.
    Coefficients are the declared parameters with the fit's covariance; elements of variables that are transformed
    jointly (a simplex, an ordered vector) enter as their unconstrained values.

    For the standard errors of slopes (`dydx`) the methods take difference quotients over steps as long as the largest
    standard error of a coefficient, which have no truncation error here and leave 7 digits. The package's own functions
    step by 1e-8 of a coefficient unless they are told `eps_vcov=`, and leave 3 to 4 digits of a slope's; elasticities
    and hypotheses about slopes keep that step. Polars must be older than 2 (marginaleffects 0.6 fails with it).

    Parameters
    ----------
    fit : Fit
    data : DataFrame
        The rows that were fitted: the response's column, under the name of the observed variable, and the predictors.
    build_model : callable, optional
        From a frame to the model, as a model script has it. Without it the columns fill the model's `pm.Data`
        containers by name.
    var_name : str, optional
        The observed variable; needed where there are several.

    Returns
    -------
    marginaleffects.classes.ModelAbstract

    Raises
    ------
    RequestError
        The package is not installed, or the fit has no maximum or no graph.
    DataError
        The frame does not give the means that were fitted.

    Examples
    --------
    >>> import numpy as np, pandas as pd, pymc as pm, ppl_mle
    >>> from ppl_mle.effects import as_marginaleffects
    >>> frame = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0], "y": [1.0, 2.0, 4.0, 5.0]})
    >>> with pm.Model() as model:
    ...     x = pm.Data("x", frame["x"].to_numpy())
    ...     mean = pm.Flat("a") + pm.Flat("b") * x
    ...     y = pm.Normal("y", mean, pm.HalfFlat("sigma"), observed=frame["y"].to_numpy())
    >>> fit = ppl_mle.find_MLE(model)
    >>> round(as_marginaleffects(fit, frame).avg_slopes()["estimate"][0], 6)  # doctest: +SKIP
    1.4
    """
    maximum = fit._needs_graph("as_marginaleffects")
    demand_maximum(fit.results, "as_marginaleffects")
    if not isinstance(data, pd.DataFrame):
        raise RequestError(f"data must be the DataFrame that was fitted, got {type(data).__name__}")
    bridge = _Bridge(fit, maximum, data, build_model, var_name)
    bridge.check()
    return _adapter()(fit, bridge)


class _Bridge:
    """Coefficients of a fit, and its means at frames.

    Parameters
    ----------
    fit : Fit
    maximum : Maximum
    data : DataFrame
    build_model : callable or None
    var_name : str or None
    """

    def __init__(self, fit: Fit, maximum: Maximum, data: pd.DataFrame, build_model: Any, var_name: str | None) -> None:
        assert fit.reading is not None
        self.fit, self.maximum, self.data = fit, maximum, data
        self.reading, self._build, self._var_name = fit.reading, build_model, var_name
        self.fitted = read_response(fit.reading, var_name)
        self.levels = {str(name): _levels(column) for name, column in data.items()}

    @property
    def names(self) -> list[str]:
        """Label of every coefficient."""
        return [
            label
            for var in self.maximum.plan.likelihood.variables
            for label in (var.labels if var.elementwise else var.free_labels)
        ]

    def coefficients(self) -> np.ndarray:
        """Declared values, or unconstrained ones of variables that are transformed jointly, shape (p,)."""
        theta = self.maximum.theta
        values = np.array(theta, float)
        for var in self.maximum.plan.likelihood.variables:
            if var.elementwise:
                pairs = zip(var.scales, theta[var.free], strict=True)
                values[var.free] = [scale.to_declared(u) for scale, u in pairs]
        return values

    def slopes(self) -> np.ndarray:
        """Derivative of every coefficient in its unconstrained value, shape (p,)."""
        values, slopes = self.coefficients(), np.ones(len(self.maximum.theta))
        for var in self.maximum.plan.likelihood.variables:
            if var.elementwise:
                pairs = zip(var.scales, values[var.free], strict=True)
                slopes[var.free] = [float(scale.slope(x)) for scale, x in pairs]
        return slopes

    def covariance(self, maximum: Maximum) -> np.ndarray:
        """Covariance of the coefficients, shape (p, p)."""
        return propagate(np.diag(self.slopes()), maximum)

    def theta(self, coefficients: np.ndarray) -> np.ndarray:
        """The unconstrained vector of some coefficients."""
        theta = np.array(coefficients, float)
        for var in self.maximum.plan.likelihood.variables:
            if var.elementwise:
                pairs = zip(var.scales, theta[var.free], strict=True)
                theta[var.free] = [float(scale.to_free(x)) for scale, x in pairs]
        return theta

    def respond(self, frame: pd.DataFrame, check: bool = False) -> Response:
        """The response at the rows of a frame."""
        frame = frame.drop(columns=[c for c in ("rowid", "rowidcf") if c in frame and c not in self.data])
        frame = frame.assign(
            **{
                name: pd.Categorical(frame[name], known)
                for name, known in self.levels.items()
                if known and name in frame
            }
        )
        if self._build is None:
            return response_at(self.reading, frame, self._var_name)
        likelihood = self.maximum.plan.likelihood
        return respond_to_frame(self._build, frame, likelihood, self.maximum.theta, self.reading, self._var_name, check)

    def predictors(self) -> list[str]:
        """Columns that the model reads beside the response: those without which it cannot be built."""
        columns = [str(name) for name in self.data.columns if name != self.fitted.name]
        return [name for name in columns if self._reads(name)] or columns

    def _reads(self, name: str) -> bool:
        try:
            self.respond(self.data.drop(columns=name))
        except DataError:
            return True
        return False

    def check(self) -> None:
        """Refuse a frame whose rows do not have the means that were fitted."""
        theta = self.maximum.theta
        ours = np.ravel(self.respond(self.data, check=True).mean.value(theta))
        own = np.ravel(self.fitted.mean.value(theta))
        if ours.shape != own.shape or not np.allclose(ours, own, rtol=1e-8, atol=1e-8 * float(np.max(np.abs(own)))):
            raise DataError(
                f"the frame does not give the means that were fitted ({len(ours)} rows for {len(own)}); pass the data "
                "of the fit, as build_model() takes them"
            )


class _Rows:
    """Rows at which means are wanted; the model is built for them when first asked."""

    def __init__(self, bridge: _Bridge, frame: pd.DataFrame) -> None:
        self._bridge, self._frame = bridge, frame

    def __getitem__(self, rows: slice) -> "_Rows":
        return _Rows(self._bridge, self._frame.iloc[rows].reset_index(drop=True))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the frame."""
        return self._frame.shape

    @cached_property
    def mean(self) -> Any:
        """The mean as a function of the unconstrained vector."""
        return self._bridge.respond(self._frame).mean

    def means(self, coefficients: np.ndarray) -> np.ndarray:
        """Means at some coefficients, in the shape of the response.

        Where one coefficient alone differs from its estimate, that is a step of a difference quotient: it gets the
        tangent, so that the quotient has no truncation error however long the step.
        """
        bridge = self._bridge
        steps = np.asarray(coefficients, float) - bridge.coefficients()
        moved = np.flatnonzero(steps)
        if len(moved) != 1:
            return self.mean.value(bridge.theta(coefficients))
        center, jacobian = self._tangent
        return center + np.reshape(jacobian[:, moved[0]] * steps[moved[0]], center.shape)

    @cached_property
    def _tangent(self) -> tuple[np.ndarray, np.ndarray]:
        """Means at the estimate, and their derivatives in the coefficients."""
        theta = self._bridge.maximum.theta
        center = np.asarray(self.mean.value(theta), float)
        jacobian = self.mean.jacobian(theta, slice(0, center.size, 1))
        return center, jacobian / self._bridge.slopes()


def _levels(column: pd.Series) -> list[Any]:
    """Levels of a column of categories or text; none of a numeric one."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return list(column.cat.categories)
    return [] if pd.api.types.is_numeric_dtype(column) else sorted(column.unique())


def _by_group(mean: np.ndarray) -> list[dict[str, Any]]:
    """Columns that marginaleffects reads predictions from, one part per category where there are any."""
    rows = np.arange(len(mean) if mean.ndim else 1, dtype=np.int32)
    if mean.ndim < 2:
        return [{"rowid": rows, "estimate": np.ravel(mean)}]
    return [{"rowid": rows, "group": [str(k)] * len(rows), "estimate": part} for k, part in enumerate(mean.T)]


@cache
def _adapter() -> Any:
    """The adapter class, made where the package is installed."""
    try:
        import polars as pl
        from marginaleffects.classes import ModelAbstract, ModelVault
    except ImportError:
        raise RequestError(
            "marginal effects need the package marginaleffects; install it with pip install 'ppl_mle[effects]'"
        ) from None

    class ModelOfFit(ModelAbstract):
        """A fit, as marginaleffects asks its models."""

        def __init__(self, fit: Fit, bridge: _Bridge) -> None:
            frame = pl.DataFrame({str(name): column.to_list() for name, column in bridge.data.items()})
            levels = {name: pl.Enum([str(level) for level in known]) for name, known in bridge.levels.items() if known}
            vault = ModelVault(
                coef=bridge.coefficients(),
                coefnames=np.array(bridge.names),
                formula=bridge.respond,
                modeldata=frame.with_columns(pl.col(name).cast(kind) for name, kind in levels.items()),
                package="ppl_mle",
                variable_names=[bridge.fitted.name, *bridge.predictors()],
            )
            self.bridge = bridge
            super().__init__(fit, vault)

        def get_vcov(self, vcov: Any = True) -> Any:
            if isinstance(vcov, str):
                changed = self.model.with_covariance(vcov)
                return self.bridge.covariance(changed._needs_graph("vcov"))
            return self.bridge.covariance(self.bridge.maximum) if vcov is True else None

        def get_exog(self, newdata: Any) -> _Rows:
            return _Rows(self.bridge, newdata.to_pandas())

        def get_predict(self, params: np.ndarray, newdata: Any) -> Any:
            rows = newdata if isinstance(newdata, _Rows) else self.get_exog(newdata)
            return pl.concat([pl.DataFrame(part) for part in _by_group(rows.means(np.asarray(params, float)))])

    for verb in _VERBS:
        setattr(ModelOfFit, verb, partialmethod(_call, verb))
    return ModelOfFit


def _call(model: Any, verb: str, *arguments: Any, **options: Any) -> Any:
    """A function of the package; quotients of quotients, as of slopes, get a step in the coefficients of their own."""
    import marginaleffects

    is_linear = options.get("slope", "dydx") == "dydx" and options.get("hypothesis") is None
    if verb.endswith("slopes") and len(arguments) < 3 and is_linear:
        spread = np.sqrt(np.diag(model.get_vcov()))
        options = {"eps_vcov": float(np.max(spread[spread > 0], initial=0.0)) or 1.0} | options
    return getattr(marginaleffects, verb)(model, *arguments, **options)

"""What a fit says of rows: predictions, residuals, influence, the augmented data."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from ppl_mle.errors import DataError, RequestError
from ppl_mle.inference.predictions.augment import augment_data, augment_new
from ppl_mle.inference.predictions.influence import find_influence
from ppl_mle.inference.predictions.prediction import Prediction, demand_means, predict_frame, predicted_mean
from ppl_mle.inference.predictions.residuals import ResidualKind, find_residuals
from ppl_mle.inference.results import Results
from ppl_mle.maximize import Maximum
from ppl_mle.read import Reading
from ppl_mle.read.rebuilt import respond_to_frame
from ppl_mle.read.responding import Response
from ppl_mle.read.response import read_response, response_at

NewData = Mapping[str, Any] | pd.DataFrame


class Predictions:
    """Predictions, residuals and influence of a fit."""

    results: Results
    maximum: Maximum | None
    reading: Reading | None

    def _needs_graph(self, what: str) -> Maximum:
        raise NotImplementedError

    def predict(
        self,
        new_data: NewData | None = None,
        *,
        var_name: str | None = None,
        build_model: Callable[[pd.DataFrame], Any] | None = None,
    ) -> pd.Series:
        """Mean of the response, on its declared scale.

        Of a censored response it is the mean before censoring, of a category the probability of each. It is NaN in
        rows whose mean the data do not determine, or that depend on an estimate without a finite value.

        Parameters
        ----------
        new_data : dict of str to array, or DataFrame, optional
            New values of the model's `pm.Data` containers, by name; or a frame with columns of their names (for a
            matrix: of the coordinates of its second dimension). The model itself is not changed. By default the data
            of the fit.
        var_name : str, optional
            The observed variable; needed where there are several.
        build_model : callable, optional
            From a frame to the model, as a model script has it; `new_data` is then the frame it takes. Its response
            column may be left out.

        Returns
        -------
        Series

        Raises
        ------
        RequestError
            No mean is known of the distribution, or the fit has no finite estimates or no graph.
        DataError
            The new data lack a container or column, have rows of different number, missing values, or unseen levels.

        Examples
        --------
        >>> import numpy as np, pymc as pm, ppl_mle
        >>> with pm.Model() as model:
        ...     x = pm.Data("x", np.array([0.0, 1.0, 2.0, 3.0]))
        ...     y = pm.Poisson("y", pm.math.exp(pm.Flat("a") + pm.Flat("b") * x), observed=[1, 2, 4, 8])
        >>> fit = ppl_mle.find_MLE(model)
        >>> fit.predict({"x": np.array([4.0, 5.0])}).round(6).tolist()
        [16.0, 32.0]
        """
        maximum, response = self._response("predict", new_data, var_name, build_model)
        demand_means(self.results, maximum, response, "prediction")
        return pd.Series(predicted_mean(maximum, response), index=response.index, name=response.name)

    def get_prediction(
        self,
        new_data: NewData | None = None,
        *,
        ci_prob: float = 0.95,
        var_name: str | None = None,
        interval: bool = True,
        draws: int = 1000,
        random_seed: int = 0,
        build_model: Callable[[pd.DataFrame], Any] | None = None,
    ) -> Prediction:
        """Mean of the response with standard error and interval, and a prediction interval, one row each.

        The standard error is by the delta method with the fit's covariance. The interval of the mean is symmetric in
        the linear predictor where the mean is a function of one (so it equals that of statsmodels' GLM), else on the
        scale on which the mean is free; it uses normal quantiles, where statsmodels' OLS uses Student's t and divides
        the residual sum of squares by n - k instead of n. The prediction interval holds quantiles of responses that
        are drawn forward by PyMC, at vectors drawn from the estimator's normal approximation; of a censored response
        all of this is before censoring, so that an interval may reach beyond the limit.

        Parameters
        ----------
        new_data, var_name, build_model
            As for `predict`.
        ci_prob : float
            Content of both intervals.
        interval : bool
            Whether to simulate prediction intervals.
        draws : int
            Draws behind the prediction intervals.
        random_seed : int

        Returns
        -------
        Prediction
            `frame` (and `summary_frame()`) has the columns `mean`, `mean_se`, `mean_ci_lower`, `mean_ci_upper`,
            `obs_ci_lower`, `obs_ci_upper` for every model; `frame.attrs` says how each was made.

        Raises
        ------
        RequestError, DataError
            As `predict`; or `ci_prob` outside (0, 1), or bad or too few `draws`.

        Examples
        --------
        >>> import numpy as np, pymc as pm, ppl_mle
        >>> with pm.Model() as model:
        ...     mu, sigma = pm.Flat("mu"), pm.HalfFlat("sigma")
        ...     y = pm.Normal("y", mu, sigma, observed=[1.0, 2.0, 4.0, 5.0])
        >>> frame = ppl_mle.find_MLE(model).get_prediction(interval=False).frame
        >>> frame[["mean", "mean_se"]].iloc[0].round(6).tolist()
        [3.0, 0.790569]
        """
        maximum, response = self._response("get_prediction", new_data, var_name, build_model)
        return predict_frame(
            self.results,
            maximum,
            response,
            ci_prob=ci_prob,
            interval=interval,
            draws=draws,
            random_seed=random_seed,
        )

    def residuals(
        self, kind: ResidualKind = "response", *, var_name: str | None = None, random_seed: int = 0
    ) -> pd.Series | pd.DataFrame:
        """Residuals of every row of the fitted data.

        Parameters
        ----------
        kind : {"response", "pearson", "deviance", "quantile", "score"}
            `response`: y minus mean. `pearson`: over the standard deviation of the fitted distribution, dispersion
            included. `deviance`: signed root of the row's deviance, times the dispersion where the family has one, as
            in statsmodels and R. `quantile`: standard normal quantile of the distribution function, at a random point
            of the jump for discrete and censored responses (Dunn and Smyth 1996). `score`: gradient of the row's
            log-density, a column per unconstrained coordinate.
        var_name : str, optional
        random_seed : int
            Of quantile residuals of discrete and censored responses.

        Returns
        -------
        Series, or DataFrame for scores

        Raises
        ------
        RequestError
            Unknown kind, or one that the distribution does not have.

        Examples
        --------
        >>> import pymc as pm, ppl_mle
        >>> with pm.Model() as model:
        ...     mu, sigma = pm.Flat("mu"), pm.HalfFlat("sigma")
        ...     y = pm.Normal("y", mu, sigma, observed=[1.0, 2.0, 4.0, 5.0])
        >>> ppl_mle.find_MLE(model).residuals().round(6).tolist()
        [-2.0, -1.0, 1.0, 2.0]
        """
        maximum, response = self._response("residuals", None, var_name, None)
        return find_residuals(self.results, maximum, response, kind, random_seed)

    def influence(self, *, var_name: str | None = None) -> pd.DataFrame:
        """Leverage, Cook's distance and DFBETAs, for models with one affine mean predictor.

        As statsmodels' OLSInfluence and GLMInfluence define them (Cook 1977; Pregibon 1981; Belsley, Kuh and Welsch
        1980), with the model's own observed information whatever covariance the fit has. GLMInfluence divides DFBETAs
        by standard errors of the expected information instead, which are others where the link is not canonical.

        Parameters
        ----------
        var_name : str, optional

        Returns
        -------
        DataFrame
            Columns `leverage`, `std_resid` (internally studentized), `cooks_distance`, and `dfbetas[label]` for each
            mean coefficient.

        Raises
        ------
        RequestError
            The mean has no single affine predictor, or the rows have no predictor form.

        Examples
        --------
        >>> import pymc as pm, ppl_mle
        >>> with pm.Model() as model:
        ...     mu, sigma = pm.Flat("mu"), pm.HalfFlat("sigma")
        ...     y = pm.Normal("y", mu, sigma, observed=[1.0, 2.0, 4.0, 5.0])
        >>> ppl_mle.find_MLE(model).influence()["leverage"].round(6).tolist()
        [0.25, 0.25, 0.25, 0.25]
        """
        maximum, response = self._response("influence", None, var_name, None)
        return find_influence(self.results, maximum, response)

    def augment(
        self,
        new_data: NewData | None = None,
        *,
        var_name: str | None = None,
        build_model: Callable[[pd.DataFrame], Any] | None = None,
    ) -> pd.DataFrame:
        """The data with what the fit says of each row, in broom's columns.

        Parameters
        ----------
        new_data, var_name, build_model
            As for `predict`.

        Returns
        -------
        DataFrame
            The data, then `fitted`, `se_fit`, and for the fitted data `resid`, `std_resid`, `hat`, `cooks_d`: the last
            four only where they are defined. Of a response with two axes, or with categories, there is a row for each
            element of the mean, and the data are the response and what has one number for each of its first axis.

        Examples
        --------
        >>> import pymc as pm, ppl_mle
        >>> with pm.Model() as model:
        ...     mu, sigma = pm.Flat("mu"), pm.HalfFlat("sigma")
        ...     y = pm.Normal("y", mu, sigma, observed=[1.0, 2.0, 4.0, 5.0])
        >>> list(ppl_mle.find_MLE(model).augment())
        ['y', 'fitted', 'se_fit', 'resid', 'std_resid', 'hat', 'cooks_d']
        """
        maximum, response = self._response("augment", new_data, var_name, build_model)
        demand_means(self.results, maximum, response, "augment")
        if new_data is None:
            assert self.reading is not None
            return augment_data(self.results, maximum, response, self.reading.groups)
        frame = augment_new(self.results, maximum, response)
        return pd.concat([new_data, frame], axis=1) if isinstance(new_data, pd.DataFrame) else frame

    def _response(
        self, what: str, new_data: NewData | None, var_name: str | None, build_model: Callable[..., Any] | None
    ) -> tuple[Maximum, Response]:
        maximum = self._needs_graph(what)
        assert self.reading is not None  # a fit with a maximum has it
        if build_model is not None:
            if not isinstance(new_data, pd.DataFrame):
                raise RequestError(f"build_model takes the new data as a DataFrame, got {type(new_data).__name__}")
            return maximum, respond_to_frame(
                build_model, new_data, maximum.plan.likelihood, maximum.theta, self.reading, var_name
            )
        if new_data is None:
            return maximum, read_response(self.reading, var_name)
        if not isinstance(new_data, Mapping | pd.DataFrame):
            raise DataError(
                f"new_data is of type {type(new_data).__name__}; pass a dict of the data containers or a DataFrame"
            )
        return maximum, response_at(self.reading, new_data, var_name)

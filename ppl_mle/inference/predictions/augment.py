"""The data of a fit with what the fit says of each row, in broom's columns."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from ppl_mle.errors import RequestError
from ppl_mle.inference.predictions.influence import find_influence
from ppl_mle.inference.predictions.prediction import predicted_mean, standard_errors
from ppl_mle.inference.predictions.residuals import find_residuals
from ppl_mle.inference.results import Results
from ppl_mle.maximize import Maximum
from ppl_mle.read.responding import Response


def augment_data(
    results: Results, maximum: Maximum, response: Response, groups: Mapping[str, xr.Dataset]
) -> pd.DataFrame:
    """Data with fitted values, residuals and influence; columns only where they are defined.

    Parameters
    ----------
    results : Results
    maximum : Maximum
    response : Response
        At the fitted data.
    groups : dict of str to Dataset
        `observed_data` and `constant_data`; those arrays count whose first axis is the response's.

    Returns
    -------
    DataFrame
        One row per element of the mean: the data, then `fitted`, `se_fit`, `resid`, `std_resid`, `hat`, `cooks_d`.
    """
    frame = augment_new(results, maximum, response)
    data = _columns(groups, len(frame)) if frame.index.nlevels == 1 else _of_elements(response, groups)
    frame = pd.concat([pd.DataFrame(data, index=frame.index), frame], axis=1)
    try:
        frame["resid"] = find_residuals(results, maximum, response).to_numpy()
    except RequestError:
        return frame
    try:
        influence = find_influence(results, maximum, response)
    except RequestError:
        return frame
    names = {"std_resid": "std_resid", "leverage": "hat", "cooks_distance": "cooks_d"}
    return frame.assign(**{name: influence[column].to_numpy() for column, name in names.items()})


def augment_new(results: Results, maximum: Maximum, response: Response) -> pd.DataFrame:
    """Fitted values with their standard errors alone."""
    fitted = predicted_mean(maximum, response)
    errors = standard_errors(maximum, response.mean, response.count)
    frame = pd.DataFrame({"fitted": fitted, "se_fit": errors}, index=response.index)
    frame.attrs["covariance_kind"] = results.covariance_kind
    return frame


def _of_elements(response: Response, groups: Mapping[str, xr.Dataset]) -> dict[str, np.ndarray]:
    """The response by element of its mean, and the data that have one number for each of its first axis."""
    values = np.asarray(response.values)
    columns = {response.name: np.repeat(np.ravel(values), response.count // max(1, values.size))}
    rows = response.mean.shape[0]
    for name, array in _columns({"constant_data": groups.get("constant_data", xr.Dataset())}, rows).items():
        columns.setdefault(name, np.repeat(array, response.count // rows))
    return columns


def _columns(groups: Mapping[str, xr.Dataset], rows: int) -> dict[str, np.ndarray]:
    columns: dict[str, np.ndarray] = {}
    for group in ("observed_data", "constant_data"):
        for name, array in groups.get(group, xr.Dataset()).items():
            if not array.ndim or array.shape[0] != rows:
                continue
            if array.ndim == 1:
                columns[str(name)] = array.to_numpy()
            elif array.ndim == 2:
                labels = array[array.dims[1]].to_numpy()
                columns |= {f"{name}[{label}]": array.to_numpy()[:, j] for j, label in enumerate(labels)}
    return columns

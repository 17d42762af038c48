"""A fit as an ArviZ DataTree: as an estimator with its sampling distribution, or as the point PyMC writes."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

import numpy as np
import xarray as xr

from ppl_mle.errors import RequestError
from ppl_mle.inference import Results, normal_quantile
from ppl_mle.maximize import Status

TRUNK_PROB = 0.5

Deterministics = Mapping[str, tuple[tuple[str, ...], np.ndarray]]


def to_datatree(
    results: Results,
    draws_declared: np.ndarray | None,
    data_groups: Mapping[str, xr.Dataset],
    kind: Literal["estimator", "point"] = "estimator",
    *,
    ci_prob: float = 0.95,
    deterministics: Deterministics | None = None,
) -> xr.DataTree:
    """Write a fit as a DataTree that ArviZ reads.

    Parameters
    ----------
    results : Results
    draws_declared : array, shape (chains, draws, q), or None
        Draws of the estimator's normal approximation mapped to the declared scale, elements in the order of the fit's
        labels. Needed for ``kind="estimator"``, ignored otherwise.
    data_groups : dict of str to Dataset
        The groups `observed_data` and `constant_data`, those that there are.
    kind : {"estimator", "point"}
        `point` has the groups, variables and attributes of PyMC 6.4's ``find_MAP(return_inferencedata=True,
        compute_hessian=True)``. `estimator` has the draws as `posterior`, and the groups `point_estimate` and
        `point_estimate_stats`, whose nodes `trunk`, `twig` (dim `ci_bound`) and `standard_error` feed
        ``az.plot_forest(stats=...)``.
    ci_prob : float
        Content of the interval `twig`; that of `trunk` is 0.5.
    deterministics : dict of str to (dims, array), optional
        Values of the Deterministics at the estimate: in `posterior` of a point, in `point_estimate` of an estimator.

    Returns
    -------
    DataTree

    Raises
    ------
    RequestError
        ``kind="estimator"`` without draws, an unknown kind, `ci_prob` outside (0, 1), or a name with a slash.

    Notes
    -----
    `fit` holds `mean_vector` and `covariance_matrix` on the unconstrained scale, without a Jacobian. In
    `optimizer_result` the fields are those of SciPy for the *negative* log-density; its `status` is the position of
    the fit's status in `Status`, 0 when it converged.
    """
    values = _declared_arrays(results, results.estimates.values)
    values |= {name: _array(results, dims, value) for name, (dims, value) in (deterministics or {}).items()}
    if kind == "point":
        groups = {
            "posterior": _dataset({k: v.expand_dims(chain=[0], draw=[0]) for k, v in values.items()}, sampled=True)
        }
    elif kind == "estimator":
        if draws_declared is None:
            raise RequestError("kind='estimator' needs draws of the estimator's normal approximation; none were given")
        groups = _estimator_groups(results, draws_declared, values, ci_prob)
    else:
        raise RequestError(f"kind={kind!r} is unknown; use 'estimator' or 'point'")
    groups |= {name: dataset.assign_attrs(_attrs() | dataset.attrs) for name, dataset in data_groups.items()}
    groups |= {"fit": _fit_group(results), "optimizer_result": _optimizer_group(results)}
    _require_no_slash(groups)
    tree = xr.DataTree.from_dict({name: _writable(dataset) for name, dataset in groups.items()})
    if kind == "estimator":
        tree.attrs["kind"] = kind
    return tree


def read_point(tree: Any) -> dict[str, np.ndarray]:
    """Read the point of a tree that `pm.find_MAP` or `to_datatree` made.

    Parameters
    ----------
    tree : DataTree

    Returns
    -------
    dict of str to array
        Values on the declared scale by variable, Deterministics included.

    Raises
    ------
    RequestError
        The tree holds no point: no posterior, or more than one draw and no group `point_estimate`.
    """
    groups = getattr(tree, "children", {})
    if "point_estimate" in groups:
        return {str(name): array.to_numpy() for name, array in tree["point_estimate"].data_vars.items()}
    if "posterior" not in groups:
        raise RequestError(f"there is no point in this tree; its groups are {', '.join(groups) or 'none'}")
    posterior = tree["posterior"].to_dataset()
    count = posterior.sizes.get("chain", 0) * posterior.sizes.get("draw", 0)
    if count != 1:
        raise RequestError(
            f"the posterior holds {count} draws, not a point; take its mean, or pass the tree of pm.find_MAP"
        )
    point = posterior.isel(chain=0, draw=0)
    return {str(name): array.to_numpy() for name, array in point.data_vars.items()}


def _require_no_slash(groups: Mapping[str, xr.Dataset]) -> None:
    """A DataTree's paths are made of slashes, so that names cannot hold one."""
    for dataset in groups.values():
        for name in dataset.variables:
            if "/" in str(name):
                raise RequestError(
                    f"{name!r} contains a slash, which no name in a DataTree may; rename it in the model"
                )


def _estimator_groups(
    results: Results, draws: np.ndarray, values: Mapping[str, xr.DataArray], ci_prob: float
) -> dict[str, xr.Dataset]:
    return {
        "posterior": _dataset(_declared_arrays(results, draws), sampled=True).assign_attrs(kind="estimator"),
        "point_estimate": _dataset(values),
        "point_estimate_stats/standard_error": _dataset(_declared_arrays(results, results.estimates.bse.to_numpy())),
        "point_estimate_stats/trunk": _bounds(results, TRUNK_PROB),
        "point_estimate_stats/twig": _bounds(results, ci_prob),
    }


def _bounds(results: Results, ci_prob: float) -> xr.Dataset:
    """Wald intervals with the dim `ci_bound` last, as ArviZ's own intervals have it."""
    normal_quantile(ci_prob)
    arrays = _declared_arrays(results, results.estimates.wald(ci_prob).to_numpy().T)
    arrays = {name: array.transpose(..., "ci_bound") for name, array in arrays.items()}
    return _dataset(arrays).assign_attrs(ci_prob=ci_prob, ci_kind="wald")


def _declared_arrays(results: Results, flat: np.ndarray) -> dict[str, xr.DataArray]:
    """Split the last axis of an array of declared elements into the variables.

    Leading axes are chain and draw when there are two, and the bounds of an interval when there is one.
    """
    flat = np.asarray(flat, float)
    leading = {0: (), 1: ("ci_bound",), 2: ("chain", "draw")}[flat.ndim - 1]
    arrays = {}
    for var in results.variables:
        part = flat[..., var.declared].reshape((*flat.shape[:-1], *var.shape))
        arrays[var.name] = _array(results, (*leading, *var.dims), part)
    return arrays


def _array(results: Results, dims: tuple[str, ...], values: np.ndarray) -> xr.DataArray:
    coords = {}
    for dim, length in zip(dims, np.shape(values), strict=True):
        known = ["lower", "upper"] if dim == "ci_bound" else results.coords.get(dim)
        coords[dim] = np.asarray(known) if known is not None and len(known) == length else np.arange(length)
    return xr.DataArray(values, dims=dims, coords=coords)


def _dataset(arrays: Mapping[str, xr.DataArray], sampled: bool = False) -> xr.Dataset:
    return xr.Dataset(arrays, attrs=_attrs(("chain", "draw") if sampled else ()))


def _attrs(sample_dims: tuple[str, ...] = ()) -> dict[str, Any]:
    """ArviZ's attributes of a group, this package as the inference library."""
    from arviz_base.base import make_attrs

    attrs = make_attrs(sample_dims=sample_dims)
    dims = attrs.pop("sample_dims")
    return attrs | _library() | {"sample_dims": dims}


def _library() -> dict[str, str]:
    try:
        return {"inference_library": "ppl_mle", "inference_library_version": version("ppl_mle")}
    except PackageNotFoundError:
        return {"inference_library": "ppl_mle", "inference_library_version": "unknown"}


def _fit_group(results: Results) -> xr.Dataset:
    labels = list(results.free_labels)
    return xr.Dataset(
        {
            "mean_vector": ("rows", results.theta),
            "covariance_matrix": (("rows", "columns"), results.theta_covariance),
        },
        coords={"rows": labels, "columns": labels},
    )


def _optimizer_group(results: Results) -> xr.Dataset:
    proof = results.certificate
    return xr.Dataset(
        {
            "fun": -results.lpf,
            "jac": ("variables", -results.gradient),
            "nfev": proof.evaluations,
            "nit": proof.iterations,
            "status": list(Status).index(results.status),
            "message": results.sentence,
            "x": ("variables", results.theta),
            "success": results.converged,
            "method": results.engine,
        },
        coords={"variables": list(results.free_labels)},
    )


def _writable(dataset: xr.Dataset) -> xr.Dataset:
    """The dataset with coordinates that netCDF can hold: labels of mixed or unusual types become text."""
    texts = {
        name: (coord.dims, np.array([str(value) for value in coord.to_numpy()]))
        for name, coord in dataset.coords.items()
        if coord.dtype.kind == "O"
    }
    return dataset.assign_coords(texts) if texts else dataset

"""Covariances from the information: observed, expected, and the outer products of the scores."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ppl_mle.errors import RequestError
from ppl_mle.inference.covariances.kind import Covariance, CovarianceOptions
from ppl_mle.inference.results import OBSERVED
from ppl_mle.inference.rows import rows_of
from ppl_mle.maximize import Maximum
from ppl_mle.read import expected_information


@dataclass(frozen=True)
class ObservedInformation:
    """Inverse of minus the Hessian at the maximum (Efron and Hinkley 1978)."""

    name: ClassVar[str] = "observed"
    takes: ClassVar[tuple[str, ...]] = ()

    def estimate(self, maximum: Maximum, options: CovarianceOptions) -> Covariance:
        """Return the covariance that every fit has."""
        return Covariance(maximum.covariance, OBSERVED)


@dataclass(frozen=True)
class ExpectedInformation:
    """Inverse of the expected (Fisher) information of families with a closed form (McCullagh and Nelder 1989)."""

    name: ClassVar[str] = "expected"
    takes: ClassVar[tuple[str, ...]] = ()

    def estimate(self, maximum: Maximum, options: CovarianceOptions) -> Covariance:
        """Estimate it at a maximum."""
        information = np.zeros(maximum.covariance.shape)
        for rows in rows_of(maximum, "expected"):
            for term in rows.terms:
                found = expected_information(term, maximum.theta)
                if found is None:
                    raise RequestError(
                        f"the expected information of '{rows.name}' is not known for its distribution and links; use "
                        "the observed one"
                    )
                information += found
        return Covariance(_inverse(maximum, information, "expected information"), "expected information")


@dataclass(frozen=True)
class OuterProducts:
    """Inverse of the sum of the outer products of the scores (Berndt, Hall, Hall and Hausman 1974)."""

    name: ClassVar[str] = "OPG"
    takes: ClassVar[tuple[str, ...]] = ()

    def estimate(self, maximum: Maximum, options: CovarianceOptions) -> Covariance:
        """Estimate it at a maximum."""
        products = np.asarray(sum(one.products(maximum.theta) for one in rows_of(maximum, "OPG")))
        return Covariance(
            _inverse(maximum, products, "sum of the outer products of scores"), "outer products of scores"
        )


def likelihood_covariance(maximum: Maximum) -> Covariance:
    """Inverse information of the likelihood at the maximum of a penalized one (Heinze and Schemper 2002)."""
    information = maximum.plan.likelihood.objective.extra.information(maximum.theta)
    kind = "information of the likelihood, without the penalty"
    return Covariance(_inverse(maximum, information, "information"), kind)


def _inverse(maximum: Maximum, information: np.ndarray, what: str) -> np.ndarray:
    """Inverse over the coordinates that have a standard error."""
    own = np.flatnonzero(np.diag(maximum.covariance) > 0)
    part = information[np.ix_(own, own)]
    scale = np.sqrt(np.diag(part))
    with np.errstate(all="ignore"):
        values, vectors = np.linalg.eigh(np.nan_to_num(part / np.outer(scale, scale)))
    if not (np.all(scale > 0) and values[0] > len(own) * np.finfo(float).eps * values[-1]):
        labels = np.array(maximum.plan.likelihood.scale_labels)[own]
        worst = labels[int(np.argmax(np.abs(vectors[:, 0])))]
        raise RequestError(f"the {what} is singular, most of all in {worst}; use 'observed'")
    matrix = np.zeros(information.shape)
    matrix[np.ix_(own, own)] = (vectors / values) @ vectors.T / np.outer(scale, scale)
    return matrix

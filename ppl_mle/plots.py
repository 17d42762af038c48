"""Figures of a fit."""

from typing import TYPE_CHECKING, Any

from ppl_mle.report.profile_figures import draw_contour, draw_profile
from ppl_mle.uncertainty import Uncertainty

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Plots(Uncertainty):
    """Figures of a fit, drawn outside pyplot."""

    def plot_profile(self, of: Any, ci_prob: float = 0.95) -> "Figure":
        """Draw the profile of one quantity beside the Wald line.

        Parameters
        ----------
        of, ci_prob
            As for `profile`.

        Returns
        -------
        Figure
            Of Matplotlib.

        Raises
        ------
        RequestError
            As for `profile`.
        """
        return draw_profile(self.profile(of, ci_prob))

    def plot_contour(self, one: str, other: str, ci_prob: float = 0.95) -> "Figure":
        """Draw the joint likelihood-ratio region of two elements with the estimate.

        Parameters
        ----------
        one, other, ci_prob
            As for `contour`.

        Returns
        -------
        Figure
            Of Matplotlib.

        Raises
        ------
        RequestError
            As for `contour`.
        """
        edge, params = self.contour(one, other, ci_prob), self.results.estimates.params
        return draw_contour(edge, (float(params[one]), float(params[other])))

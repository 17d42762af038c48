"""What a report says, said once: every format shows this record."""

from dataclasses import dataclass

from ppl_mle.report.blocks import Picture, Section
from ppl_mle.report.further_sections import (
    figures_section,
    models_section,
    posterior_section,
    prose_section,
    software_section,
)
from ppl_mle.report.material import Material, Recipe
from ppl_mle.report.sections import (
    data_section,
    estimates_section,
    method_section,
    model_section,
    reference_section,
    statistics_section,
    verdict_section,
)

SECTIONS = (
    verdict_section,
    model_section,
    data_section,
    method_section,
    estimates_section,
    reference_section,
    statistics_section,
    posterior_section,
    models_section,
    figures_section,
    prose_section,
    software_section,
)


@dataclass(frozen=True, eq=False)
class Document:
    """A report before it has a format.

    Parameters
    ----------
    title : str
    converged : bool
    sections : tuple of Section
        The verdict first.
    recipe : Recipe
    checks : dict of str to float
        Estimates by label, for a format that can compute them again.
    estimator : str
    """

    title: str
    converged: bool
    sections: tuple[Section, ...]
    recipe: Recipe
    checks: dict[str, float]
    estimator: str

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All figures in order."""
        return tuple(block for section in self.sections for block in section.blocks if isinstance(block, Picture))


def build_document(material: Material) -> Document:
    """Put a report together and draw its figures.

    Parameters
    ----------
    material : Material

    Returns
    -------
    Document

    Raises
    ------
    RequestError
        The posterior does not match the fit.
    """
    found = [build(material) for build in SECTIONS]
    params = material.results.estimates.params
    return Document(
        title=material.title,
        converged=material.results.converged,
        sections=tuple(section for section in found if section is not None and section.blocks),
        recipe=material.recipe,
        checks={str(label): float(value) for label, value in params.items()},
        estimator=material.results.estimator,
    )

"""Draws from wherever they are: a tree, or a netCDF file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ppl_mle.errors import DataError, RequestError

if TYPE_CHECKING:
    import xarray as xr

_HDF5 = b"\x89HDF"


def read_draws(source: Any) -> "xr.DataTree":
    """Return draws as a DataTree.

    Parameters
    ----------
    source : DataTree, Dataset, str or Path
        A tree is returned as it is; a Dataset is taken for the group `posterior`; a path is that of a netCDF file with
        a group `posterior`, written by ArviZ of any version.

    Returns
    -------
    DataTree

    Raises
    ------
    DataError
        The file is missing or holds no groups that can be read.
    RequestError
        Anything else was given.
    """
    import xarray as xr

    if isinstance(source, xr.DataTree):
        return source
    if isinstance(source, xr.Dataset):
        return xr.DataTree.from_dict({"posterior": source})
    if not isinstance(source, str | Path):
        raise RequestError(
            f"draws are a DataTree with a group posterior, or the path of a netCDF file; got {type(source).__name__}"
        )
    try:
        with xr.open_datatree(source, engine=_engine(Path(source))) as tree:
            return tree.load()
    except (OSError, ValueError, KeyError) as exc:
        reason = " ".join(str(exc).split())[:200]
        raise DataError(f"cannot read the draws {source}: {reason}; give a netCDF file that ArviZ wrote") from exc


def _engine(path: Path) -> str | None:
    """HDF5 files by h5netcdf, which is always installed; others by what xarray has."""
    with path.open("rb") as file:
        return "h5netcdf" if file.read(4) == _HDF5 else None

"""The one rule by which numbers are shown: an estimate to the precision of its standard error."""

import math

SE_DIGITS = 3
PLAIN_DIGITS = 6


def show_estimate(value: float, se: float) -> str:
    """Show a value with as many decimals as three significant digits of its standard error need.

    Parameters
    ----------
    value, se : float
        On the same scale. Where the standard error is not a positive number the value has 6 significant digits.

    Examples
    --------
    >>> show_estimate(3.14159265, 0.0123456)
    '3.1416'
    >>> show_estimate(123456789.0, 4321.0)
    '1.2345679e+08'
    >>> show_estimate(0.5, 0.0)
    '0.5'
    """
    if not math.isfinite(value) or not (math.isfinite(se) and se > 0):
        return show_number(value)
    return _to_decimals(value, _decimals(se))


def show_se(se: float) -> str:
    """Show a standard error with three significant digits.

    Examples
    --------
    >>> show_se(0.0123456), show_se(4321.0), show_se(float("nan"))
    ('0.0123', '4320', 'NaN')
    """
    return show_estimate(se, se) if se > 0 else show_number(se)


def show_number(value: float, digits: int = PLAIN_DIGITS) -> str:
    """Show a number that has no standard error with so many significant digits.

    Examples
    --------
    >>> show_number(1234.56789), show_number(float("-inf")), show_number(1e-20 / 3, 3)
    ('1234.57', '-inf', '3.33e-21')
    """
    if math.isnan(value):
        return "NaN"
    return f"{value:.{digits}g}"


def show_fixed(value: float, decimals: int) -> str:
    """Show a statistic such as z or R-hat with so many decimals, or with 4 digits where that would be long.

    Examples
    --------
    >>> show_fixed(-1.234, 2), show_fixed(1234567.8, 2), show_fixed(float("nan"), 2)
    ('-1.23', '1.235e+06', 'NaN')
    """
    if not math.isfinite(value) or abs(value) >= 1e5:
        return show_number(value, 4)
    return _without_sign_of_zero(f"{value:.{decimals}f}")


def show_p(p: float) -> str:
    """Show a p-value with three decimals, and with two significant digits below 0.001.

    Examples
    --------
    >>> show_p(0.04321), show_p(3.21e-12), show_p(0.0)
    ('0.043', '3.2e-12', '<1e-300')
    """
    if p == 0:
        return "<1e-300"
    return show_number(p, 2) if not p >= 0.001 else f"{p:.3f}"


def _decimals(se: float) -> int:
    """Decimals that show `se` with three significant digits; negative for a standard error above 1000."""
    return SE_DIGITS - 1 - int(f"{se:.{SE_DIGITS - 1}e}".split("e")[1])


def _to_decimals(value: float, decimals: int) -> str:
    size = math.floor(math.log10(abs(value))) if value else 0
    decimals = min(decimals, 15 - size)
    rounded = round(value, decimals)
    if rounded and ((decimals < 0 and size >= 7) or (decimals > 7 and size < -4)):
        return f"{rounded:.{max(size + decimals, 0)}e}"
    return _without_sign_of_zero(f"{rounded:.{max(decimals, 0)}f}")


def _without_sign_of_zero(text: str) -> str:
    return text.lstrip("-") if float(text) == 0 else text

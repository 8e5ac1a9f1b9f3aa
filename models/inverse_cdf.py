"""The inverse CDF of each noise: a uniform value made one of a normal, logistic or Gumbel distribution."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def _logistic(u: Floats) -> Floats:
    """1 - u is exact, so that one logarithm of the odds is as good as the difference of two."""
    odds = u / (1.0 - u)
    return np.log(odds, out=odds)


def _gumbel(u: Floats) -> Floats:
    return -np.log(-np.log(u))


def _normal(u: Floats) -> Floats:
    """Inverse normal CDF, relative accuracy 1e-16: algorithm AS 241, PPND16 (Wichura 1988)."""
    q = u - 0.5
    value = _ratio(0.180625 - q * q, _CENTRAL)
    value *= q
    tail = np.flatnonzero(np.abs(q) > 0.425)
    if len(tail):
        value[tail] = np.copysign(_magnitude(u[tail]), q[tail])
    return value


def _magnitude(u: Floats) -> Floats:
    """Of the normal values in the tails."""
    r = np.sqrt(-np.log(np.minimum(u, 1.0 - u)))
    magnitude = _ratio(r - 1.6, _TAIL)
    if r.max() > 5.0:  # one value in 4 * 10^10
        far = r > 5.0
        magnitude[far] = _ratio(r[far] - 5.0, _FAR_TAIL)
    return magnitude


INVERSE_CDF: dict[str, Callable[[Floats], Floats]] = {
    "normal": _normal,
    "logistic": _logistic,
    "gumbel": _gumbel,
}


def _ratio(r: Floats, coefficients: Floats) -> Floats:
    """A polynomial over another, of both at once the even powers and the odd ones: half as many steps as one by one."""
    square = r * r
    values = coefficients[-1] * square
    for powers in coefficients[-2:0:-1]:
        values += powers
        values *= square
    values += coefficients[0]
    even, odd = values[:2], values[2:]
    odd *= r
    odd += even
    ratio: Floats = np.divide(odd[0], odd[1], out=odd[0])
    return ratio


def _halves(*polynomials: tuple[float, ...]) -> Floats:
    """Of numerator and denominator the coefficients of the even powers, then those of the odd ones, shape (4, 4, 1)."""
    powers = np.array(polynomials).T
    return np.hstack([powers[0::2], powers[1::2]])[:, :, None]


# Numerators and denominators of AS 241, constant term first.
# fmt: off
_CENTRAL = _halves(
    (3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
     4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3),
    (1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
     2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3),
)
_TAIL = _halves(
    (1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9),
)
_FAR_TAIL = _halves(
    (6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
     2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15),
)
# fmt: on

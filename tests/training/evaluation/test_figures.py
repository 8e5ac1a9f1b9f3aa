"""A measured mean has the standard error of its values."""

import numpy as np
import pytest

from training.evaluation.figures import mean_figure


def test_standard_error_is_the_sample_deviation_over_the_root_of_the_count():
    figure = mean_figure(np.array([1.0, 2.0, 3.0, 6.0]), "nats")
    assert figure.value == 3
    assert figure.std_error == pytest.approx((14 / 3) ** 0.5 / 2)
    assert (figure.unit, figure.split, figure.examples) == ("nats", "test", 4)


def test_one_value_has_no_standard_error():
    assert mean_figure(np.array([2.5]), "nats").std_error is None

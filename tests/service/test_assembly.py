"""A served model's batches have the size that suits its graphs."""

import pytest

from models.repository import read_bundle
from service import assembly
from service.loading import Loaded
from service.settings import Settings
from tests import tiny_bundle


class LikeGraph:
    def __init__(self, loops):
        self.loops = loops


@pytest.fixture
def manifest(tmp_path):
    return read_bundle(tiny_bundle.publish(tmp_path)).manifest


@pytest.mark.parametrize(("seconds", "rows"), [(1e-6, 256), (0.5 / 16.5, 16), (0.4, 1), (100, 1)])
def test_batch_of_a_graph_that_loops_lasts_half_a_second(manifest, seconds, rows):
    most = Settings().batch_rows
    assert assembly._batch_rows(Loaded(LikeGraph(True), seconds), manifest, most) == rows
    assert assembly._batch_rows(Loaded(LikeGraph(False), seconds), manifest, most) == most

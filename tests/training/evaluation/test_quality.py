"""Figures of images are what their definitions count, and what is known in closed form."""

import math

import numpy as np
import pytest
from scipy.linalg import sqrtm

from models.manifest import Example, Operation
from training.datasets.splits import Dataset
from training.evaluation import quality
from training.evaluation.quality import COOL, frechet_distance, neighbourhoods, quality_figures
from training.evaluation.terms import SEED

RANDOM = np.random.default_rng(0)


def counted(real, fake, k):
    """Precision, density, recall and coverage by the definitions, one pair after the other."""

    def distance(a, b):
        return math.dist(a, b)

    def radius(points, i):
        return sorted(distance(points[i], points[j]) for j in range(len(points)) if j != i)[k - 1]

    of_real, of_fake = ([radius(points, i) for i in range(len(points))] for points in (real, fake))
    held = [[distance(f, r) <= reach for r, reach in zip(real, of_real, strict=True)] for f in fake]
    holds = [[distance(f, r) <= reach for f, reach in zip(fake, of_fake, strict=True)] for r in real]
    precision, density = [any(row) for row in held], [sum(row) / k for row in held]
    return precision, density, [any(row) for row in holds], [any(column) for column in zip(*held, strict=True)]


@pytest.mark.parametrize("block", [7, 1000])
@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("shift", [0.0, 1.5])
def test_neighbourhoods_are_those_of_a_double_loop(monkeypatch, block, k, shift):
    monkeypatch.setattr(quality, "_BLOCK", block)
    real, fake = RANDOM.normal(size=(60, 3)), shift + 0.7 * RANDOM.normal(size=(40, 3))
    found = neighbourhoods(real.astype(np.float32), fake.astype(np.float32), k)
    for values, expected in zip(found, counted(real, fake, k), strict=True):
        np.testing.assert_allclose(values, np.array(expected, float))
    assert all(values.mean() > 0 for values in found)
    assert found.recall.mean() < 1


@pytest.mark.parametrize("k", [1, 3, 5])
def test_identical_sets_are_perfect_and_as_dense_as_k_neighbours_and_oneself(k):
    points = np.float32(2.0) ** np.arange(12)[:, None]  # no two distances are equal, and all are exact
    precision, density, recall, coverage = (values.mean() for values in neighbourhoods(points, points, k))
    assert precision == recall == coverage == 1
    assert density == pytest.approx((k + 1) / k)


def test_fakes_far_away_are_worth_nothing():
    points = RANDOM.normal(size=(50, 4)).astype(np.float32)
    assert [values.mean() for values in neighbourhoods(points, points + 100)] == [0, 0, 0, 0]


def test_fakes_in_one_of_two_clusters_are_good_and_recall_and_cover_half():
    cluster = RANDOM.normal(size=(50, 4)).astype(np.float32)
    found = neighbourhoods(np.concatenate([cluster, cluster + 100]), cluster)
    assert [found.precision.mean(), found.recall.mean(), found.coverage.mean()] == [1, 0.5, 0.5]


def test_one_outlier_among_the_fakes_recalls_all_and_covers_nothing_more():
    """Why there is coverage (Naeem et al. 2020): a far fake's neighbourhood holds everything."""
    cluster = RANDOM.normal(size=(50, 4)).astype(np.float32)
    real = np.concatenate([cluster, cluster + 100])
    outlier = np.full((1, 4), 1000, np.float32)
    found = neighbourhoods(real, np.concatenate([cluster, outlier]))
    assert (found.recall.mean(), found.coverage.mean()) == (1, 0.5)


def normal(mean, covariance, rows=400):
    """Rows whose own mean and covariance are these."""
    z = np.random.default_rng(len(mean)).normal(size=(rows, len(mean)))
    z -= z.mean(axis=0)
    z @= np.linalg.inv(np.linalg.cholesky(np.cov(z, rowvar=False))).T
    return z @ np.linalg.cholesky(covariance).T + mean


def test_frechet_distance_of_normals_along_the_axes_is_that_of_means_and_deviations():
    one, other = normal([1, 2, 3], np.diag([1.0, 4.0, 9.0])), normal([1, 0, 6], np.diag([4.0, 4.0, 0.25]))
    assert frechet_distance(one, other) == pytest.approx(2**2 + 3**2 + (1 - 2) ** 2 + (3 - 0.5) ** 2)


def test_frechet_distance_of_any_two_normals_is_that_of_the_paper():
    c1, c2 = (a @ a.T + np.eye(4) for a in RANDOM.normal(size=(2, 4, 4)))
    m1, m2 = RANDOM.normal(size=(2, 4))
    expected = ((m1 - m2) ** 2).sum() + np.trace(c1 + c2 - 2 * sqrtm(c1 @ c2).real)
    assert abs(c1 @ c2 - c2 @ c1).max() > 0.1
    assert frechet_distance(normal(m1, c1), normal(m2, c2)) == pytest.approx(expected)
    assert frechet_distance(normal(m2, c2), normal(m1, c1)) == pytest.approx(expected)


@pytest.mark.parametrize(("rows", "features"), [(100, 5), (20, 50)])
def test_frechet_distance_of_a_set_from_itself_is_0_and_from_a_shifted_one_the_squared_shift(rows, features):
    points = RANDOM.normal(size=(rows, features)).astype(np.float32)
    assert frechet_distance(points, points) == pytest.approx(0, abs=1e-5)
    assert frechet_distance(points, points + 3) == pytest.approx(9 * features, rel=1e-5)


class Drawn:
    """A model whose samples are given rows, and others when it is cooled."""

    operations = {"sample": Operation(graph="sample.onnx", outputs=("x",))}

    def __init__(self, x, cooled):
        self.x = {1.0: x, COOL: cooled}

    def draw(self, name, *, seed, index, rows, temperature):
        assert (name, seed) == ("sample", SEED)
        return {"row": np.arange(index, index + rows), "temperature": temperature}

    def run(self, name, inputs):
        return {"x": self.x[inputs["temperature"]][inputs["row"]]}


class Told:
    """A classifier that goes by the first pixel, modulo 4; the pixels themselves are its features."""

    def __init__(self, dataset):
        pass

    def features_of(self, x):
        return x.reshape(len(x), -1).astype(np.float32)

    def labels_of(self, x):
        return x[:, 0, 0].astype(np.int64) % 4


def images(labels):
    x = np.random.default_rng(len(labels)).random((len(labels), 2, 2), dtype=np.float32)
    x[:, 0, 0] = labels
    return x


@pytest.fixture
def figures(monkeypatch):
    """figures(samples, test, cooled=samples): of images whose first pixels are these."""
    monkeypatch.setattr(quality, "classifier_of", Told)

    def make(samples, test, cooled=None):
        monkeypatch.setattr(quality, "SAMPLES", len(samples))
        x = images(test)
        dataset = Dataset("mnist", Example(kind="image", support="real"), x[:1], x[:1], x)
        return quality_figures(Drawn(images(samples), images(samples if cooled is None else cooled)), dataset)

    return make


def test_class_kl_is_that_of_the_classes_of_samples_from_those_of_the_test_split(figures):
    made = figures(np.repeat([0, 1], [150, 50]), np.repeat([0, 1, 2], [25, 25, 50]))
    assert made["class_kl"].value == pytest.approx(0.75 * math.log(0.75 / 0.25) + 0.25 * math.log(0.25 / 0.25))
    assert (made["class_kl"].unit, made["class_kl"].examples) == ("nats", 200)


def test_classes_are_those_of_the_first_thousand_samples(figures):
    made = figures(np.repeat([0, 3, 2], [600, 400, 100]), np.arange(100) % 4)
    assert made["classes"].value == 2
    assert (made["classes"].unit, made["classes"].examples) == ("classes in 1,000 samples", 1000)


def test_figures_are_of_the_features_of_samples_and_of_the_test_split(figures):
    samples, test = np.zeros(60), np.zeros(40)
    made = figures(samples, test)
    fake, real = (images(labels).reshape(-1, 4) for labels in (samples, test))
    shares = neighbourhoods(real, fake)
    for name in ("precision", "density", "recall", "coverage"):
        assert made[name].value == pytest.approx(getattr(shares, name).mean())
    told = {name: (figure.split, figure.examples) for name, figure in made.items()}
    assert told["precision"] == told["density"] == told["fid_c"] == ("samples", 60)
    assert told["recall"] == told["coverage"] == ("test", 40)
    assert made["fid_c"].value == pytest.approx(frechet_distance(real, fake))


def test_figures_of_a_cooled_model_are_those_of_what_it_draws_then(figures):
    samples, test, cooled = np.zeros(60), np.zeros(40), np.full(60, 4.0)
    made, cool = figures(samples, test, cooled), figures(cooled, test)
    for name in ("precision", "density", "recall", "coverage", "fid_c", "classes", "class_kl"):
        assert made[f"{name}_cooled"] == cool[name]
    assert made["fid_c_cooled"].value > made["fid_c"].value + 3


def test_standard_error_of_the_frechet_distance_is_that_of_a_mean_where_the_means_are_all(figures):
    """Nearly all of it is (12 + q - p)^2 of the first pixels, in which p, a share of 2,000 samples, is random."""
    made = figures(np.arange(2000) % 2, 12 + np.arange(100) % 2)
    assert made["fid_c"].value == pytest.approx(144, abs=2)
    assert made["fid_c"].std_error == pytest.approx(2 * 12 * math.sqrt(0.25 / 2000), rel=0.05)


def test_standard_error_of_the_frechet_distance_is_its_spread_over_sets_of_samples(figures):
    """Of normal distributions that differ in mean and covariance, drawn 300 times."""
    random, stretch = np.random.default_rng(0), np.array([[1.5, 0.4], [0.0, 0.5]])
    real = random.normal(size=(4000, 2))
    drawn = [random.normal(size=(500, 2)) @ stretch + 0.5 for _ in range(300)]
    found = [frechet_distance(real, fake) for fake in drawn]
    told = [quality._frechet_figure(real, fake).std_error for fake in drawn]
    assert np.mean(told) == pytest.approx(np.std(found), rel=0.15)  # 300 draws tell a deviation to 4 %

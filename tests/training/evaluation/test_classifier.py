"""The classifier learns what can be told apart, and is the same one each time."""

import numpy as np
import pytest
import torch

from models.manifest import Example
from training.datasets.splits import Dataset, Labels
from training.evaluation.classifier import Classifier

IMAGES = Example(kind="image", support="levels", range=(0, 255))
VECTORS = Example(kind="vector", support="real")


def images(rows, random):
    """A bright upper or lower half, in noise of any other brightness."""
    label = random.integers(0, 2, rows)
    x = random.integers(0, 130, (rows, 6, 5))
    x[label == 0, :3] += 120
    x[label == 1, 3:] += 120
    return x.astype(np.uint8), label


def vectors(rows, random):
    """Three corners of the plane, far from 0, and in other units along one axis than along the other."""
    label = random.integers(0, 3, rows)
    corners = np.array([[0, 0], [1, 0], [0, 1]])[label]
    return ((5000, -3) + np.array([1e5, 0.01]) * (corners + 0.1 * random.normal(size=(rows, 2)))).astype(
        np.float32
    ), label


def dataset(make, example, classes, rows=2000):
    random = np.random.default_rng(0)
    splits, labels = zip(*(make(count, random) for count in (rows, 100, 500)), strict=True)
    return Dataset("made", example, *splits, Labels(tuple("abc"[:classes]), *labels))


KINDS = {"images": (images, IMAGES, 2), "vectors": (vectors, VECTORS, 3)}


@pytest.fixture(scope="module", params=KINDS)
def learned(request):
    data = dataset(*KINDS[request.param])
    return data, Classifier(data)


def test_classes_far_apart_are_told_apart(learned):
    data, classifier = learned
    test = data.examples("test")
    told = classifier.labels_of(test.x)
    assert told.shape == (500,)
    assert (told == test.label).mean() > 0.99


def test_what_it_says_of_a_row_does_not_depend_on_the_others(learned):
    data, classifier = learned
    test = data.examples("test").x
    assert np.array_equal(classifier.labels_of(test[7:9]), classifier.labels_of(np.concatenate([test] * 3))[507:509])


def test_same_data_give_the_same_classifier_and_draw_nothing_from_the_global_generator():
    data = dataset(*KINDS["images"], rows=300)
    torch.manual_seed(1)
    first = Classifier(data)
    drawn = torch.rand(3)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(3), drawn)
    second = Classifier(data)
    weights = [classifier._network.state_dict() for classifier in (first, second)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_it_goes_by_the_labels_of_the_training_split_alone():
    data = dataset(*KINDS["images"])
    swapped = data._replace(labels=data.labels._replace(train=1 - data.labels.train))
    test = data.examples("test")
    assert (Classifier(swapped).labels_of(test.x) == test.label).mean() < 0.01

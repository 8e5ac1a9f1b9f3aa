"""The classifier learns what can be told apart, and is the same one each time."""

import runpy
from hashlib import sha256

import numpy as np
import pytest
import torch

from models.manifest import Example
from training import datasets
from training.datasets.splits import Dataset, Labels
from training.errors import TrainingError
from training.evaluation import classifier as module
from training.evaluation.classifier import PINNED, Classifier, classifier_of, file_of

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
    weights = [classifier.network.state_dict() for classifier in (first, second)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_it_goes_by_the_labels_of_the_training_split_alone():
    data = dataset(*KINDS["images"])
    swapped = data._replace(labels=data.labels._replace(train=1 - data.labels.train))
    test = data.examples("test")
    assert (Classifier(swapped).labels_of(test.x) == test.label).mean() < 0.01


def like_mnist(rows=3, labels=None):
    x = np.random.default_rng(0).integers(0, 256, (rows, 28, 28)).astype(np.uint8)
    return Dataset("mnist", IMAGES, x, x, x, labels)


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """The file that stands for the pinned one; a copy of it at first."""
    copy = tmp_path / "mnist-classifier.safetensors"
    copy.write_bytes(file_of("mnist").read_bytes())
    monkeypatch.setattr(module, "file_of", lambda name: copy)
    return copy


@pytest.mark.parametrize("name", PINNED)
def test_pinned_file_is_the_one_that_its_digest_says(name):
    assert sha256(file_of(name).read_bytes()).hexdigest() == PINNED[name]


def test_pinned_classifier_is_read_not_learned_and_needs_no_labels(monkeypatch):
    monkeypatch.setattr(Classifier, "_fit", pytest.fail)
    data = like_mnist()
    assert classifier_of(data).labels_of(data.test).shape == (3,)


def test_pinned_classifier_that_was_changed_is_refused(kept):
    content = bytearray(kept.read_bytes())
    content[-1] ^= 1
    kept.write_bytes(content)
    with pytest.raises(TrainingError, match=r"mnist-classifier.safetensors is not the classifier .*; restore it"):
        classifier_of(like_mnist())


def test_data_without_a_pinned_classifier_have_one_that_learns_them():
    data = dataset(*KINDS["images"], rows=300)
    rows = data.test[:50]
    assert np.array_equal(classifier_of(data).labels_of(rows), Classifier(data).labels_of(rows))


def test_what_pin_writes_is_the_classifier_that_it_has_trained(kept, monkeypatch, capsys):
    label = np.arange(40) % 10
    data = like_mnist(40, Labels(tuple("0123456789"), label, label, label))
    monkeypatch.setattr(datasets, "load", lambda name, labels: data)
    threads = torch.get_num_threads()
    runpy.run_module("training.evaluation.pin", run_name="__main__")
    torch.set_num_threads(threads)
    name, digest = capsys.readouterr().out.split()
    assert digest != PINNED[name]
    monkeypatch.setitem(PINNED, name, digest)
    kept, trained = (each.features_of(data.test) for each in (classifier_of(data), Classifier(data)))
    np.testing.assert_allclose(kept, trained, rtol=1e-4, atol=1e-5)  # trained with another number of threads


def test_features_are_what_the_last_layer_is_given():
    data = like_mnist(7)
    classifier = classifier_of(data)
    features = torch.from_numpy(classifier.features_of(data.test))
    assert features.shape == (7, 32 * 7 * 7)
    with torch.no_grad():
        told = classifier.network.head(features).argmax(dim=1).numpy()
    assert np.array_equal(told, classifier.labels_of(data.test))

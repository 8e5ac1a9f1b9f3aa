"""The card says what the manifest says."""

import pytest

from training.report.card import card


def test_card_says_what_the_model_is_and_how_good_it_is(opened):
    manifest, _ = opened(operations=["encode", "decode", "score"])
    text = card(manifest)
    for part in (
        "# tiny, version 1",
        "Four pixels.",
        "binary images of shape [2, 2]",
        "| elbo | -3.5 ± 0.25 | nats | test, 16 |",
        "- `score`: log_weight, elbo, reconstruction, kl",
        "- `sample`: it was left out.",
        "never log p(x) itself",
    ):
        assert part in text


def test_card_of_a_model_without_a_score_does_not_speak_of_bounds(opened):
    assert "lower bound" not in card(opened(operations=["encode", "decode"])[0])


def test_card_tells_a_bound_from_the_log_probability_itself(opened):
    bound, exact = card(opened()[0]), card(opened(version=2, exact=True)[0])
    assert "importance weighted bound" in bound
    assert "gives a lower bound" in bound
    assert "`log_prob` is log p(x) itself, no bound" in exact
    assert "lower bound" not in exact


def test_card_of_a_model_that_completes_says_when_that_is_exact(opened):
    assert "`complete` draws from the distribution given the kept values only where" in card(opened()[0])
    assert "`complete` draws" not in card(opened(version=2, operations=["score"])[0])


def noted(manifest, *notes):
    """The manifest of a recipe with notes."""
    made = manifest.provenance
    provenance = made.model_copy(update={"recipe": made.recipe | {"notes": list(notes)}})
    return manifest.model_copy(update={"provenance": provenance})


def test_notes_of_the_recipe_are_limits_with_the_figures_that_they_name(opened):
    text = card(noted(opened()[0], "Its elbo is {elbo:.2f} nats.", "It is small."))
    assert "## Limits\n\n- Its elbo is -3.50 nats.\n- It is small.\n- It has seen none only" in text


def test_labels_are_told(opened):
    assert "of shape [2, 2], given its label.\n" in card(opened(conditional=True)[0])
    assert "given its label" not in card(opened(version=2)[0])


@pytest.mark.parametrize("note", ["Its elbow is {elbow:.2f} nats.", "Its {elbo", "Its {elbo:q} nats", "Its {0}."])
def test_note_with_a_slip_of_the_pen_is_shown_as_it_is_written(opened, note):
    assert f"- {note}\n" in card(noted(opened()[0], note))


@pytest.mark.parametrize(
    ("history", "chosen"),
    [
        ([], "the best epoch chosen on the validation split"),
        ([{"loss": 2.0, "validation": 1.0}], "the best epoch chosen on the validation split"),
        ([{"estimate": 2.0}], "the last epoch kept, for nothing tells which is best"),
    ],
)
def test_card_says_which_epoch_was_kept(opened, history, chosen):
    assert f"Trained on the training split; {chosen}; the test split" in card(opened()[0], history)

"""What a VAE is given beyond x: a learned prior, which bends the code, and labels, which reach all of its parts."""

import pytest
import torch
from torch.distributions import Bernoulli, Independent, Normal

from tests.training.conftest import LABELS, build, data
from training.family import one_hot

LATENT, ROWS = 2, 6


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def bent(likelihood="bernoulli", conditional=False, **options):
    """A VAE with a learned prior that is far from the standard normal."""
    vae = build("vae", likelihood, conditional, prior={"layers": 4}, **options).eval()
    generator = torch.Generator().manual_seed(1)
    for parameter in vae.prior.parameters():
        parameter.data += 0.3 * torch.randn(parameter.shape, generator=generator)
    return vae


def images():
    return data("vae-bernoulli", rows=ROWS)[0]


@torch.no_grad()
@pytest.mark.parametrize("conditional", [False, True])
def test_score_is_the_joint_under_the_learned_prior_less_the_posterior(conditional):
    vae, x, noise = bent(conditional=conditional), images(), normal(ROWS, 4, LATENT)
    label = [torch.arange(ROWS) % 3] if conditional else []
    condition = one_hot(label[0], 3) if conditional else None
    code = vae.encode(x, noise[:, 0], *label)
    mean, deviation = code["mean"][:, None], (0.5 * code["log_variance"]).exp()[:, None]
    z = mean + deviation * noise
    torch.testing.assert_close(code["z"], z[:, 0])
    beside = z if condition is None else torch.cat([z, condition[:, None].expand(-1, 4, -1)], dim=-1)
    decoder = Independent(Bernoulli(logits=vae.decoder.network(beside)), 1)
    reconstruction = decoder.log_prob(x.flatten(1)[:, None])
    kl = Independent(Normal(mean, deviation), 1).log_prob(z) - vae.prior.log_prob(z, condition)
    expected = {"log_weight": reconstruction - kl, "elbo": reconstruction - kl}
    expected |= {"reconstruction": reconstruction, "kl": kl}
    scored = vae.score(x, noise, *label)
    assert set(scored) == set(expected)
    for name, value in expected.items():
        torch.testing.assert_close(scored[name], value, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_sample_bends_the_base_noise_and_tells_the_code():
    vae, base, pixel = bent(), normal(ROWS, LATENT), normal(ROWS, 3, 4, seed=1)
    sampled = vae.sample(base, pixel)
    assert (sampled["z"] != base).all()
    torch.testing.assert_close(sampled["z"], vae.prior.transform(base, None))
    for name, value in vae.decode(sampled["z"], pixel).items():
        assert torch.equal(sampled[name], value)


def test_learned_prior_has_base_noise_and_no_kl_of_each_dimension():
    learned, standard = bent(), build("vae", "bernoulli").eval()
    assert learned.operations()["sample"].noise == {"base": "normal", "pixel": "logistic"}
    assert standard.operations()["sample"].noise == {"z": "normal", "pixel": "logistic"}
    shapes = set(learned.shapes()) ^ set(standard.shapes())
    assert shapes == {"base", "kl_per_dimension"}
    outputs = [set(vae.encode(images(), normal(ROWS, LATENT))) for vae in (learned, standard)]
    assert outputs[1] - outputs[0] == {"kl_per_dimension"}
    assert outputs[0] == {"z", "mean", "log_variance"}


@torch.no_grad()
def test_untrained_prior_gives_the_score_and_the_samples_of_the_standard_normal():
    learned = build("vae", "bernoulli", prior={"layers": 4}).eval()
    standard = build("vae", "bernoulli").eval()
    standard.load_state_dict(learned.state_dict(), strict=False)
    x, noise = images(), normal(ROWS, 4, LATENT)
    both = [vae.score(x, noise)["log_weight"] for vae in (learned, standard)]
    torch.testing.assert_close(*both)
    z, pixel = normal(ROWS, LATENT), normal(ROWS, 3, 4, seed=1)
    assert torch.equal(learned.sample(z, pixel)["x"], standard.decode(z, pixel)["x"])


PARTS = {
    "encoder": lambda vae, label: vae.encode(images(), normal(ROWS, LATENT), label)["mean"],
    "prior": lambda vae, label: vae.sample(normal(ROWS, LATENT), normal(ROWS, 3, 4), label)["z"],
    "decoder": lambda vae, label: vae.decode(normal(ROWS, LATENT), normal(ROWS, 3, 4), label)["mean"],
    "score": lambda vae, label: vae.score(images(), normal(ROWS, 3, LATENT), label)["log_weight"],
    "reconstruction": lambda vae, label: vae.score(images(), normal(ROWS, 3, LATENT), label)["reconstruction"],
    "loss": lambda vae, label: (torch.manual_seed(0), vae.validation_loss(images(), label))[1],
}


@torch.no_grad()
@pytest.mark.parametrize("part", PARTS)
def test_label_reaches_every_part_in_its_own_row_alone(part):
    vae = bent(conditional=True)
    of_zero, of_others = torch.zeros(ROWS, dtype=torch.int64), torch.tensor([0, 1, 2, 0, 1, 2])
    plain, other = (PARTS[part](vae, label).view(ROWS, -1) for label in (of_zero, of_others))
    assert (plain != other).any(dim=1).tolist() == [False, True, True, False, True, True]
    first, second = (PARTS[part](vae, torch.full((ROWS,), label)).view(ROWS, -1) for label in (1, 2))
    assert (first != second).any(dim=1).all()


@torch.no_grad()
def test_prior_of_a_label_is_a_density_of_its_own():
    vae, z = bent(conditional=True), normal(50, LATENT)
    densities = [vae.prior.log_prob(z, one_hot(torch.full((50,), label), 3)) for label in range(3)]
    assert not any(torch.allclose(densities[i], densities[j]) for i, j in ((0, 1), (0, 2), (1, 2)))


def test_every_label_has_a_row_of_the_unit_matrix():
    assert torch.equal(one_hot(torch.arange(len(LABELS)), len(LABELS)), torch.eye(3))
    assert one_hot(torch.tensor([2, 0]), 3).dtype == torch.float32


def test_model_without_labels_has_no_label_among_its_inputs():
    for conditional in (False, True):
        functions = build("vae", "bernoulli", conditional).operations().values()
        assert {"label" in function.inputs for function in functions} == {conditional}
        assert {function.label for function in functions} == {conditional}

"""What an autoencoder minimises: the reconstruction error alone, so that nothing holds its codes in place."""

import math

import numpy as np
import torch
from lightning_fabric import Fabric
from sklearn.decomposition import PCA
from torch import Tensor
from torch.nn import functional

from models.manifest import Example
from training.datasets.splits import Dataset
from training.distributions import LOG_2PI
from training.families import FAMILIES
from training.family import Family, Turn
from training.report.plots import Line, lines
from training.theory.claim import Claim, Experiment
from training.theory.learning import learn
from training.theory.linear_gaussian import LINEAR, REAL, kl_from_prior

_BINARY = Example(kind="image", support="binary", range=(0, 1))
_HIDDEN = {"widths": [12], "activation": "tanh"}
_LATENT = 3
_ROUNDING = 1e-9


def experiment(rows: int = 1000, epochs: int = 80) -> Experiment:
    """On its loss as it is trained, and what a linear one learns by it."""
    torch.manual_seed(0)
    binary = (torch.rand(50, 4, 4) < 0.4).double()
    coder, vae = _family("autoencoder", "bernoulli", _BINARY, (4, 4)), _family("vae", "bernoulli", _BINARY, (4, 4))
    as_trained = _loss(coder, binary)
    mean = coder.decode(coder.encode(binary)["z"], torch.zeros_like(binary))["mean"]
    cross_entropy = float(functional.binary_cross_entropy(mean, binary, reduction="sum").detach()) / len(binary)
    noise = torch.randn(50, 64, _LATENT, dtype=torch.float64)
    rise = float((kl_from_prior(_scaled(vae, 10), binary) - kl_from_prior(vae, binary)).mean().detach())
    before, after = _terms(vae, binary, noise), _terms(_scaled(vae, 10), binary, noise)
    claims = (
        Claim(
            "Its loss on binary images is the cross-entropy of x from its reconstruction, nats",
            cross_entropy,
            as_trained,
            tolerance=_ROUNDING,
        ),
        _squared_error(),
        Claim(
            "Codes made 10 times as large, the decoder 10 times as small: its loss changes by",
            0,
            _loss(_scaled(coder, 10), binary) - as_trained,
            tolerance=_ROUNDING,
        ),
        Claim(
            "The same done to a VAE: its reconstruction changes by",
            0,
            after["reconstruction"] - before["reconstruction"],
            tolerance=_ROUNDING,
        ),
        Claim(
            "The same done to a VAE: its bound falls by what its KL rises, nats",
            rise,
            before["elbo"] - after["elbo"],
            tolerance=_ROUNDING,
        ),
        Claim("And that is far: the KL in nats goes above 100", 100, after["kl"], relation=">"),
        _projection(rows, epochs),
    )
    return Experiment(
        "An autoencoder minimises the reconstruction error, and nothing else",
        "The loss is -log p(x | z) at the code of x: cross-entropy, or squared error. No term speaks of the codes, "
        "so they may lie anywhere and be of any size, as the figure shows: the autoencoder's loss is flat where a "
        "VAE pays for leaving its prior. A linear autoencoder finds what PCA does.",
        claims,
        (_figure(coder, vae, binary, noise),),
    )


def _family(name: str, likelihood: str, example: Example, shape: tuple[int, ...]) -> Family:
    options = {"latent": _LATENT, "likelihood": likelihood, "encoder": _HIDDEN, "decoder": _HIDDEN}
    kind = FAMILIES[name]
    return kind(kind.Options.model_validate(options), example, shape).double()


def _loss(coder: Family, x: Tensor) -> float:
    """As a step of the training reports it; that step is of no length."""
    turn = Turn(0, Fabric(accelerator="cpu", devices=1), coder.optimizers(0.0, 0.0))
    return float(coder.train_step(x, None, turn)["reconstruction_error"].detach())


def _squared_error() -> Claim:
    """Of real data at a deviation of 1."""
    coder, x = _family("autoencoder", "gaussian", REAL, (5,)), torch.randn(50, 5, dtype=torch.float64)
    mean = coder.decode(coder.encode(x)["z"], torch.zeros_like(x))["mean"]
    half = 0.5 * float((x - mean).square().sum(1).mean().detach())
    statement = "Its loss on real numbers is half the squared error, and a constant"
    return Claim(statement, half + 2.5 * LOG_2PI, _loss(coder, x), tolerance=_ROUNDING)


def _scaled(family: Family, factor: float) -> Family:
    """The same family with codes so many times as large, which its decoder takes back."""
    scaled = type(family)(family.options, family.example, family.shape).double()
    scaled.load_state_dict(family.state_dict())
    last, first = scaled.encoder.network[-1], scaled.decoder.network[1].linear
    last.weight.data[:_LATENT] *= factor
    last.bias.data[:_LATENT] *= factor
    last.bias.data[_LATENT:] += 2 * math.log(factor)
    first.weight.data /= factor
    return scaled


def _terms(vae: Family, x: Tensor, noise: Tensor) -> dict[str, float]:
    return {name: float(term.detach().mean()) for name, term in vae.score(x, noise).items()}


def _projection(rows: int, epochs: int) -> Claim:
    random = np.random.default_rng(0)
    x = (random.normal(size=(rows, 6)) * np.array([3, 2, 1.5, 0.8, 0.6, 0.4])).astype(np.float32)
    model = {"latent": _LATENT, "likelihood": "gaussian", "encoder": LINEAR, "decoder": LINEAR}
    coder = learn(
        "autoencoder",
        model,
        Dataset("normal", REAL, x, x, x),
        _at_deviation_1,
        epochs=epochs,
        learning_rate=0.01,
        ema=0.9,
    ).family
    given = torch.from_numpy(x)
    with torch.no_grad():
        rebuilt = coder.decode(coder.encode(given)["z"], torch.zeros_like(given))["mean"]
    pca = PCA(_LATENT).fit(x)
    least = float(((x - pca.inverse_transform(pca.transform(x))) ** 2).sum(1).mean())
    reached = float((given - rebuilt).square().sum(1).mean())
    return Claim("A linear autoencoder's squared error is that of PCA, to 1 %", least, reached, tolerance=0.01 * least)


def _at_deviation_1(family: Family) -> None:
    """In the data's own units, and not learned: the most likely reconstruction is then the one of least squares."""
    family.standardize(torch.zeros(6), torch.ones(6))
    family.decoder.likelihood.log_scale.requires_grad_(False)


def _figure(coder: Family, vae: Family, x: Tensor, noise: Tensor) -> str:
    factors = np.geomspace(0.1, 10, 21)
    ours = [_loss(_scaled(coder, factor), x) for factor in factors]
    theirs = [-_terms(_scaled(vae, factor), x, noise)["elbo"] for factor in factors]
    return lines(
        {"autoencoder": Line(factors, ours), "VAE": Line(factors, theirs, color="second")},
        across="size of the codes",
        up="loss, nats a row",
        name="autoencoder",
        logarithmic="xy",
    )

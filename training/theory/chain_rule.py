"""The chain rule: a product of conditionals is a distribution, whose probabilities sum to 1."""

from itertools import pairwise, product
from typing import Any

import torch
from torch import Tensor

from models.manifest import Example
from training.families.autoregressive import Autoregressive
from training.report.plots import Line, lines
from training.theory.claim import Claim, Experiment

BINARY = Example(kind="image", support="binary", range=(0, 1))

_ROUNDING = 1e-9
_MASKED = {"widths": [40, 40], "activation": "tanh"}
_ROWS = {"width": 20, "heads": 2, "layers": 2, "channels": 6, "dilations": [1, 2], "above": 2, "beside": 2, "window": 8}
_NETWORKS = {
    "a masked network": (_MASKED, 3.0),
    "a mixture of three orders": (_MASKED | {"orders": 3}, 8.0),
    "a network over rows": (_ROWS, 2.0),
}


def experiment(shape: tuple[int, int] = (3, 4)) -> Experiment:
    """Of networks with random weights, over all images of so few pixels."""
    x = every_image(shape)
    models = {name: _model(network, shape, strength) for name, (network, strength) in _NETWORKS.items()}
    masked, mixture = models["a masked network"], models["a mixture of three orders"]
    log_prob, factors = log_probability(masked, x), _factors(masked, x)
    given = _conditionals(log_prob, x)
    claims = (
        *(
            Claim(
                f"The probabilities of all {len(x):,} images sum to 1: {name}",
                1,
                float(log_probability(model, x).exp().sum()),
                tolerance=_ROUNDING,
            )
            for name, model in models.items()
        ),
        Claim(
            "A mean of the orders' logits is no distribution: its sum is off 1 by at least 0.01",
            0.01,
            abs(float(_by_mean_of_logits(mixture, x).exp().sum()) - 1),
            relation=">",
        ),
        Claim(
            "Each factor is the conditional of the joint, log p(x_d | x_<d): furthest apart, nats",
            0,
            float((factors - given).abs().max()),
            tolerance=_ROUNDING,
        ),
        Claim(
            "log p(x) is the sum of its factors: furthest apart, nats",
            0,
            float((factors.sum(1) - log_prob).abs().max()),
            tolerance=_ROUNDING,
        ),
        Claim(
            "A factor knows nothing of later pixels: the most that one changes",
            0,
            _reach_back(masked, x),
            tolerance=_ROUNDING,
        ),
    )
    return Experiment(
        "The chain rule",
        "p(x) is the product of p(x_d | x_<d), each a distribution by construction, so that the probabilities of "
        "all images sum to 1 whatever the weights are; here every image is counted. A mixture over orders sums to "
        "1 too; to average their logits does not give a distribution. The figure follows one image: after each "
        "pixel, the log probability so far.",
        claims,
        (_figure(factors, given),),
    )


def every_image(shape: tuple[int, ...]) -> Tensor:
    """All images of 0 and 1, (2^D, *shape), in double."""
    size = torch.Size(shape).numel()
    return torch.tensor(list(product((0.0, 1.0), repeat=size)), dtype=torch.float64).view(-1, *shape)


def log_probability(model: Autoregressive, x: Tensor) -> Tensor:
    """(rows,), in nats."""
    return model.score(x)["log_weight"][:, 0]


def _model(network: dict[str, Any], shape: tuple[int, int], strength: float) -> Autoregressive:
    """With weights so great that a pixel hangs on those before it."""
    torch.manual_seed(0)
    options = Autoregressive.Options.model_validate({"likelihood": "bernoulli", "network": network})
    model = Autoregressive(options, BINARY, shape).double().eval().requires_grad_(False)
    for parameter in model.network.parameters():
        parameter.data *= strength
    return model


def _logits(model: Autoregressive, x: Tensor) -> Tensor:
    """(rows, orders, D); x of 0 and 1 is what the network sees."""
    return model.network(x.flatten(1))


def _factors(model: Autoregressive, x: Tensor) -> Tensor:
    """log p(x_d | x_<d) as the network gives it, (rows, D)."""
    one = model.likelihood.mean(_logits(model, x)[:, 0])
    return torch.where(x.flatten(1) > 0, one, 1 - one).log()


def _conditionals(log_prob: Tensor, x: Tensor) -> Tensor:
    """log p(x_d | x_<d) by summing the joint over all that comes later; images are counted up like binary numbers."""
    dimensions = x[0].numel()
    prefixes = [log_prob.view(2**known, -1).logsumexp(1) for known in range(dimensions + 1)]
    spread = [prefix.repeat_interleave(len(x) // len(prefix)) for prefix in prefixes]
    return torch.stack([after - before for before, after in pairwise(spread)], dim=1)


def _by_mean_of_logits(model: Autoregressive, x: Tensor) -> Tensor:
    return model.likelihood.log_prob(x.flatten(1), _logits(model, x).mean(1))


def _reach_back(model: Autoregressive, x: Tensor) -> float:
    """The most that the logit of a pixel changes when that pixel or a later one is flipped."""
    before, most = _logits(model, x)[:, 0], 0.0
    for pixel in range(before.shape[1]):
        flipped = x.flatten(1).clone()
        flipped[:, pixel] = 1 - flipped[:, pixel]
        after = _logits(model, flipped.view_as(x))[:, 0]
        most = max(most, float((after - before)[:, : pixel + 1].abs().max()))
    return most


def _figure(factors: Tensor, given: Tensor) -> str:
    likely = int(factors.sum(1).argmax())
    pixels = range(1, factors.shape[1] + 1)
    return lines(
        {
            "sums over the joint": Line(pixels, given[likely].cumsum(0).tolist()),
            "the network's factors": Line(pixels, factors[likely].cumsum(0).tolist(), style="points", color="second"),
        },
        across="pixels",
        up="log p of these pixels, nats",
        name="chain-rule",
    )

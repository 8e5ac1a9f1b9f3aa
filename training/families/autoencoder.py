"""The autoencoder (Hinton and Salakhutdinov 2006): a code that reconstructs, and no prior over it."""

from typing import ClassVar

from torch import Tensor

from models.manifest import Example, OperationName
from training.coders import CoderOptions, Decoder, Encoder
from training.family import Family, Function, Shape, Turn


class Autoencoder(Family):
    """Minimises -log p(x | z) at z = encoder(x): the reconstruction error alone, in nats an example."""

    Options = CoderOptions
    absent: ClassVar = {
        "sample": "an autoencoder learns no prior over its code, so there is nothing to draw a code from",
        "score": "an autoencoder learns no prior over its code, so it gives x no probability",
        "complete": "an autoencoder has no order of pixels in which one could be continued from others",
        "criticize": "an autoencoder has no discriminator",
    }

    def __init__(self, options: CoderOptions, example: Example, shape: Shape, classes: int = 0) -> None:
        super().__init__(options, example, shape, classes)
        self.encoder = Encoder(options, example, shape, options.latent)
        self.decoder = Decoder(options, example, shape)

    def train_step(self, x: Tensor, label: Tensor | None, turn: Turn) -> dict[str, Tensor]:
        loss = self.validation_loss(x, label).mean()
        turn.descend("all", loss)
        return {"reconstruction_error": loss}

    def validation_loss(self, x: Tensor, label: Tensor | None) -> Tensor:
        return -self.decoder.log_prob(x, self.encoder(x))

    def encode(self, x: Tensor) -> dict[str, Tensor]:
        return {"z": self.encoder(x)}

    def decode(self, z: Tensor, pixel: Tensor) -> dict[str, Tensor]:
        return self.decoder.decode(z, pixel)

    def operations(self) -> dict[OperationName, Function]:
        return {
            "encode": Function(self.encode),
            "decode": Function(self.decode, noise={"pixel": self.decoder.likelihood.noise}),
        }

    def shapes(self) -> dict[str, Shape]:
        return {
            "x": self.shape,
            "mean": self.shape,
            "z": (self.options.latent,),
            "pixel": self.decoder.likelihood.noise_shape(self.shape),
        }

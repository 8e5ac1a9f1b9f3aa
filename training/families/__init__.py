"""The families by the name that a recipe uses."""

from training.families.autoencoder import Autoencoder
from training.families.autoregressive import Autoregressive
from training.families.gan import GAN
from training.families.vae import VAE
from training.families.wgan import WGAN
from training.family import Family

FAMILIES: dict[str, type[Family]] = {
    "autoencoder": Autoencoder,
    "autoregressive": Autoregressive,
    "gan": GAN,
    "vae": VAE,
    "wgan": WGAN,
}

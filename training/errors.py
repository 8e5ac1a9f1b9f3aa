"""What a person who trains may meet; the message says what would have worked."""

from models.errors import ReparamError


class RecipeError(ReparamError):
    """A recipe that cannot be followed."""


class DataError(ReparamError):
    """Data that is missing, broken, or not what the recipe asks for."""


class TrainingError(ReparamError):
    """A training that cannot go on."""


class ExportError(ReparamError):
    """A graph that is not a pure function, or does not compute what PyTorch computes."""

"""What holds for every test: hypothesis asserts no times, as nothing does."""

from hypothesis import settings

settings.register_profile("reparam")
settings.load_profile("reparam")

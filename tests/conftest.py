"""What holds for every test: hypothesis asserts no times, as nothing does."""

from hypothesis import HealthCheck, settings

settings.register_profile("reparam", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("reparam")

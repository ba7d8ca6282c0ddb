"""hypothesis without its deadline for an example: a busy machine is not an error."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

__all__ = ["HealthCheck", "given", "settings"]

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

"""Provider slug to configured adapter: the one place where settings meet adapters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings

from creative_hub import catalogue
from creative_hub.providers.base import Adapter
from creative_hub.providers.sandbox import SandboxAdapter
from creative_hub.providers.seedream import SeedreamAdapter


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """Whether a provider can be ordered from now, and by what it is served.

    reason: for people, empty when it can. hint: for operators, names the setting.
    """

    is_available: bool
    is_sandbox: bool = False
    reason: str = ""
    hint: str = ""


def availability(*, provider: str) -> Availability:
    """How a provider is served: by itself when it has a key, else by the sandbox, else not."""
    if provider == catalogue.IMAGE.provider and settings.ARK_API_KEY:
        return Availability(is_available=True)
    if settings.SANDBOX:
        return Availability(is_available=True, is_sandbox=True)
    return Availability(
        is_available=False,
        reason=f"{catalogue.IMAGE.provider_label} is not set up here yet. Ask your administrator.",
        hint="Set ARK_API_KEY, or SANDBOX=1 to try everything with the placeholder renderer.",
    )


def adapter(*, provider: str, is_sandbox: bool) -> Adapter:
    """The adapter that serves a job. A job ordered in the sandbox stays there."""
    if is_sandbox:
        return _sandbox(settings.SANDBOX_DELAY_S)
    if provider == catalogue.IMAGE.provider:
        return _seedream(settings.ARK_API_BASE, settings.ARK_API_KEY, settings.SEEDREAM_MODEL)
    raise LookupError(f"No adapter serves the provider {provider!r}.")


@lru_cache(maxsize=4)
def _sandbox(delay_s: float) -> Adapter:
    return SandboxAdapter(delay_s=delay_s)


@lru_cache(maxsize=4)
def _seedream(base_url: str, api_key: str, model: str) -> Adapter:
    return SeedreamAdapter(base_url=base_url, api_key=api_key, model=model)

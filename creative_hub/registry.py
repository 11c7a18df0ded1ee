"""Provider slug to configured adapter: the one place where settings meet adapters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings

from creative_hub import catalogue, wording
from creative_hub.providers.base import Adapter
from creative_hub.providers.google_token import ServiceAccountToken
from creative_hub.providers.kling import KlingAdapter
from creative_hub.providers.sandbox import SandboxAdapter
from creative_hub.providers.seedance import SeedanceAdapter
from creative_hub.providers.seedream import SeedreamAdapter
from creative_hub.providers.veo import VeoAdapter


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """Whether a provider can be ordered from now, and by what it is served.

    reason: for people, empty when it can. hint: for operators, names the setting.
    """

    is_available: bool
    is_sandbox: bool = False
    reason: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setup:
    """What a provider needs: the settings it cannot do without, and the one naming its model."""

    keys: tuple[str, ...]
    model: str
    make: Callable[[], Adapter]


def availability(*, provider: str) -> Availability:
    """How a provider is served: by itself when it has its keys, else by the sandbox, else not."""
    setup = _SETUPS[provider]
    if all(getattr(settings, key) for key in setup.keys):
        return Availability(is_available=True)
    if settings.SANDBOX:
        return Availability(is_available=True, is_sandbox=True)
    label, keys = catalogue.provider_label(provider), " and ".join(setup.keys)
    return Availability(
        is_available=False,
        reason=f"{label} is not set up here yet. Ask your administrator.",
        hint=f"Set {keys}, or SANDBOX=1 to try everything with the placeholder renderer.",
    )


def remedy(*, provider: str, error_class: str) -> str:
    """What an operator does about an error of a provider; empty when it is not theirs to mend."""
    setup = _SETUPS.get(provider)
    told = wording.REMEDIES.get(error_class, "")
    return told.format(key=" and ".join(setup.keys), model=setup.model) if setup else told


def adapter(*, provider: str, is_sandbox: bool) -> Adapter:
    """The adapter that serves a job. A job ordered in the sandbox stays there."""
    if is_sandbox:
        return _sandbox(settings.SANDBOX_DELAY_S)
    if provider not in _SETUPS:
        raise LookupError(f"No adapter serves the provider {provider!r}.")
    return _SETUPS[provider].make()


@lru_cache(maxsize=4)
def _sandbox(delay_s: float) -> Adapter:
    return SandboxAdapter(delay_s=delay_s)


# Made once for each set of settings, as tokens are kept in them.
_seedream = lru_cache(maxsize=4)(SeedreamAdapter)
_seedance = lru_cache(maxsize=4)(SeedanceAdapter)
_kling = lru_cache(maxsize=4)(KlingAdapter)
_veo = lru_cache(maxsize=4)(VeoAdapter)
_token = lru_cache(maxsize=4)(ServiceAccountToken)


_SETUPS: Mapping[str, _Setup] = {
    catalogue.IMAGE.provider: _Setup(
        keys=("ARK_API_KEY",),
        model="SEEDREAM_MODEL",
        make=lambda: _seedream(
            base_url=settings.ARK_API_BASE,
            api_key=settings.ARK_API_KEY,
            model=settings.SEEDREAM_MODEL,
        ),
    ),
    catalogue.KLING.value: _Setup(
        keys=("KLING_ACCESS_KEY", "KLING_SECRET_KEY"),
        model="KLING_MODEL",
        make=lambda: _kling(
            base_url=settings.KLING_API_BASE,
            access_key=settings.KLING_ACCESS_KEY,
            secret_key=settings.KLING_SECRET_KEY,
            model=settings.KLING_MODEL,
            mode=settings.KLING_MODE,
        ),
    ),
    catalogue.VEO.value: _Setup(
        keys=("VEO_PROJECT", "VEO_CREDENTIALS"),
        model="VEO_MODEL",
        make=lambda: _veo(
            base_url=settings.VEO_API_BASE,
            project=settings.VEO_PROJECT,
            location=settings.VEO_LOCATION,
            model=settings.VEO_MODEL,
            token=_token(settings.VEO_CREDENTIALS),
            storage_uri=settings.VEO_STORAGE_URI,
            storage_base_url=settings.VEO_STORAGE_API_BASE,
        ),
    ),
    catalogue.SEEDANCE.value: _Setup(
        keys=("ARK_API_KEY",),
        model="SEEDANCE_MODEL",
        make=lambda: _seedance(
            base_url=settings.ARK_API_BASE,
            api_key=settings.ARK_API_KEY,
            model=settings.SEEDANCE_MODEL,
            resolution=settings.SEEDANCE_RESOLUTION,
        ),
    ),
}

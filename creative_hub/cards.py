"""What a card says: a generation turned into the words and figures of the page.

Templates only lay these out; no template counts, compares or words a state.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from assets import selectors as asset_selectors
from assets.ingest import AssetInfo
from creative_hub import catalogue, selectors
from creative_hub.models import Generation, ProviderJob, Status
from workspaces.selectors import Member

ALT_PROMPT_CHARS = 100
# The bar of an estimate never claims to be done.
PROGRESS_MAX = 95


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One delivered variant on a card."""

    asset: AssetInfo
    variant: int
    title: str
    alt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One generation as the page shows it.

    state: queued, processing, completed, failed or cancelled. pictures: what was delivered.
    frames: a place for each variant in order, None while it is still on its way. elapsed_s and
    expected_s: whole seconds since it was ordered and as it usually takes.
    """

    generation: Generation
    state: str
    label: str
    receipt: str
    chips: tuple[str, ...]
    pictures: tuple[Picture, ...]
    frames: tuple[Picture | None, ...]
    elapsed_s: int
    expected_s: int
    took: str
    note: str
    maker: str
    may_act: bool
    may_cancel: bool
    may_remove: bool

    @property
    def is_live(self) -> bool:
        return self.state in {"queued", "processing"}

    @property
    def ordered_at(self) -> str:
        """When it was ordered, as the number that cards are sorted by."""
        return f"{self.generation.created_at.timestamp():.6f}"

    @property
    def is_overdue(self) -> bool:
        return self.is_live and self.elapsed_s > 2 * self.expected_s

    @property
    def expected(self) -> str:
        return duration(self.expected_s)

    @property
    def elapsed_clock(self) -> str:
        """0:42"""
        return f"{self.elapsed_s // 60}:{self.elapsed_s % 60:02}"

    @property
    def progress(self) -> int:
        """Percent of the usual time that has passed."""
        return min(PROGRESS_MAX, 100 * self.elapsed_s // max(1, self.expected_s))

    @property
    def ratio_class(self) -> str:
        return "r-" + self.generation.aspect_ratio.replace(":", "x")

    @property
    def count_class(self) -> str:
        """How many frames the stage lays out: n-4."""
        return f"n-{len(self.frames)}"


def cards(*, generations: Sequence[Generation], member: Member, now: datetime) -> list[Card]:
    """The cards of generations that were read with their jobs, in the same order."""
    assets = asset_selectors.by_ids(selectors.asset_ids(generations))
    expected = {sort: _expected_s(*sort) for sort in {_sort(one) for one in generations}}
    return [
        _card(one, assets=assets, expected_s=expected[_sort(one)], member=member, now=now)
        for one in generations
    ]


def duration(seconds: float) -> str:
    """A length of time as people say it: 21 s, 1 min 38 s."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"


def _sort(generation: Generation) -> tuple[str, str, bool]:
    """What decides how long a job takes: asked once for all cards that share it."""
    return generation.provider, generation.resolution, generation.is_sandbox


def _expected_s(provider: str, resolution: str, is_sandbox: bool) -> int:
    """How long such a job usually takes, in seconds, from order to picture."""
    usual = selectors.usual_s(provider=provider, resolution=resolution, is_sandbox=is_sandbox)
    return usual or catalogue.IMAGE.usual_s


def _card(
    generation: Generation,
    *,
    assets: Mapping[uuid.UUID, AssetInfo],
    expected_s: int,
    member: Member,
    now: datetime,
) -> Card:
    jobs = sorted(generation.jobs.all(), key=lambda job: job.variant)
    elapsed = (generation.completed_at or now) - generation.created_at
    took = duration(elapsed.total_seconds()) if generation.completed_at else ""
    is_mine = generation.membership_id == member.membership_id
    pictures = _pictures(generation, jobs, assets)
    return Card(
        generation=generation,
        state=_state(generation),
        label=_label(generation),
        receipt=_receipt(generation),
        chips=_chips(generation),
        pictures=pictures,
        frames=_frames(jobs, pictures),
        elapsed_s=max(0, int(elapsed.total_seconds())),
        expected_s=expected_s,
        took=took,
        note=_note(generation, jobs),
        maker="" if is_mine else generation.membership.user.email,
        may_act=member.may_generate,
        may_remove=is_mine and member.may_generate,
        may_cancel=member.may_generate
        and generation.is_live
        and all(job.state == ProviderJob.State.WAITING for job in jobs),
    )


def _state(generation: Generation) -> str:
    return "cancelled" if generation.is_cancelled else generation.status


def _label(generation: Generation) -> str:
    if generation.is_cancelled:
        return "Cancelled"
    if generation.status == Status.PROCESSING:
        return "Generating"
    if generation.status == Status.COMPLETED:
        if generation.delivered < generation.num_variants:
            return f"{generation.delivered} of {images(generation.num_variants)}"
        return images(generation.delivered)
    return Status(generation.status).label


def _receipt(generation: Generation) -> str:
    """385 held → 385 charged."""
    held, charged = generation.credits_estimated, generation.credits_charged
    if charged is None:
        return f"{held:,} credits held"
    if charged == 0:
        return f"{held:,} held → released, not charged"
    if charged < held:
        return f"{held:,} held → {charged:,} charged, {held - charged:,} released"
    return f"{held:,} held → {charged:,} charged"


def _chips(generation: Generation) -> tuple[str, ...]:
    style = next(
        (one.label for one in catalogue.IMAGE.styles if one.value == generation.style),
        generation.style,
    )
    size = f"{generation.width} × {generation.height}"
    return (*([style] if generation.style else []), generation.aspect_ratio, size)


def _pictures(
    generation: Generation, jobs: Sequence[ProviderJob], assets: Mapping[uuid.UUID, AssetInfo]
) -> tuple[Picture, ...]:
    prompt = generation.prompt[:ALT_PROMPT_CHARS]
    total = generation.num_variants
    return tuple(
        Picture(
            asset=assets[job.asset_id],
            variant=job.variant,
            title=f"Variant {job.variant} of {total}" if total > 1 else "Picture",
            alt=f"Variant {job.variant} of {total}: {prompt}" if total > 1 else prompt,
        )
        for job in jobs
        if job.asset_id is not None and job.asset_id in assets
    )


def _frames(jobs: Sequence[ProviderJob], pictures: Sequence[Picture]) -> tuple[Picture | None, ...]:
    delivered = {picture.variant: picture for picture in pictures}
    return tuple(
        delivered.get(job.variant)
        for job in jobs
        if job.variant in delivered or job.state not in ProviderJob.TERMINAL
    )


def _note(generation: Generation, jobs: Sequence[ProviderJob]) -> str:
    """The one more thing a card says about how it went."""
    if generation.is_live:
        waiting = [job for job in jobs if job.state == ProviderJob.State.WAITING and job.waits]
        return "The provider is busy. We keep trying by ourselves." if waiting else ""
    missing = generation.num_variants - generation.delivered
    if generation.status == Status.COMPLETED and missing:
        return f"{images(missing).capitalize()} could not be made and {_was(missing)} not charged."
    return ""


def _was(count: int) -> str:
    return "was" if count == 1 else "were"

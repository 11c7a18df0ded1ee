"""What the flows do and ask again and again."""

import base64
import io

from django.utils import timezone
from PIL import Image

from assets import clips, storage
from assets import selectors as asset_selectors
from creative_hub import wording
from creative_hub.models import Generation, ProviderJob
from creative_hub.services import frames
from tests.assets import pictures
from tests.creative_hub.engine import run_to_the_end
from tests.creative_hub.factories import submit, submit_clip
from tests.factories import balance_of

ENDED = ("completed", "failed")
KLING, VEO, SEEDANCE = "kling_2_6", "veo_3_1", "seedance_pro"
# The shortest clip of each provider in seconds, and what it costs by the price list.
SHORTEST_S = {KLING: 5, VEO: 4, SEEDANCE: 4}
COSTS = {KLING: 385, VEO: 1760, SEEDANCE: 540}


def ended(generation):
    return lambda: Generation.objects.get(pk=generation.pk).status in ENDED


def states(generation):
    jobs = ProviderJob.objects.filter(generation=generation).order_by("variant")
    return [job.state for job in jobs]


def submit_now(member, **changes):
    return submit(member, now=timezone.now(), **changes)


def order_clip(member, provider, **changes):
    """The shortest clip that the provider makes, ordered now."""
    wanted = {"provider": provider, "duration": SHORTEST_S[provider], **changes}
    return submit_clip(member, now=timezone.now(), **wanted)


def start_frame(member, *, width=1600, height=1200):
    """The id of an uploaded start frame, 4:3 unless told otherwise."""
    file = io.BytesIO(pictures.jpeg(width, height))
    return frames.take_upload(member=member, file=file, name="start.jpg", now=timezone.now()).id


def ratio_of(encoded):
    """Width by height of a JPEG in base64, with or without its data: prefix."""
    content = base64.b64decode(encoded.removeprefix("data:image/jpeg;base64,"))
    with Image.open(io.BytesIO(content), formats=["JPEG"]) as picture:
        return picture.width / picture.height


def asset_of(generation):
    asset_id = generation.jobs.get().asset_id
    return asset_selectors.by_ids([asset_id])[asset_id]


def stored_clip(generation):
    """What is really in the file that we keep."""
    return clips.examine(file=io.BytesIO(storage.read_original(asset_of(generation))))


def run_clip(generation, clock, *, turns=40, step_s=2):
    """Turn the worker by hand, every two seconds of its clock, until the clip has ended."""
    run_to_the_end(generation, clock, turns=turns, step_s=step_s)


def assert_delivered(generation, *, buyer, left):
    """It came, it is what was ordered, and it was charged once. left: credits after it."""
    generation.refresh_from_db()
    assert (generation.status, generation.error_code) == ("completed", "")
    assert generation.credits_charged == COSTS[generation.provider]
    clip = stored_clip(generation)
    assert abs(clip.duration_s - generation.duration_s) <= 0.5
    assert abs(clip.width * generation.height / (clip.height * generation.width) - 1) <= 0.02
    assert balance_of(buyer) == (left, 0)


def assert_failed(generation, code, *, buyer, left=10_000, raw_code=None):
    """It failed with the right sentence, and nothing was charged or is still held."""
    generation.refresh_from_db()
    assert (generation.status, generation.error_code) == ("failed", code)
    assert generation.error_message == wording.FAILURES[code]
    assert generation.credits_charged == 0
    assert balance_of(buyer) == (left, 0)
    if raw_code is not None:
        assert generation.jobs.get().raw_code == raw_code

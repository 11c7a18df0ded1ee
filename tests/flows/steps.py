"""What the flows do and ask again and again."""

from django.utils import timezone

from creative_hub.models import Generation, ProviderJob
from tests.creative_hub.factories import submit

ENDED = ("completed", "failed")


def ended(generation):
    return lambda: Generation.objects.get(pk=generation.pk).status in ENDED


def states(generation):
    jobs = ProviderJob.objects.filter(generation=generation).order_by("variant")
    return [job.state for job in jobs]


def submit_now(member, **changes):
    return submit(member, now=timezone.now(), **changes)

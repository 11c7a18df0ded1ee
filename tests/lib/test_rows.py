"""Inserting without the ORM's cost leaves what the ORM would have left."""

import pytest
from django.forms.models import model_to_dict
from django.utils import timezone

from creative_hub.models import Generation, ProviderJob
from tests.creative_hub.factories import submit
from tests.factories import make_member
from wevion.lib.rows import insert

pytestmark = pytest.mark.django_db


def job(generation: Generation, variant: int) -> ProviderJob:
    return ProviderJob(
        generation=generation,
        variant=variant,
        provider="seedream_4_0",
        external_id=f"{generation.pk.hex}-{variant}",
        next_action_at=timezone.now(),
        deadline_at=timezone.now(),
        created_at=timezone.now(),
    )


def test_it_writes_every_field_and_default_as_save_does():
    generation = submit(make_member(credits=1000))
    saved, inserted = job(generation, 3), job(generation, 4)
    saved.save()
    insert([inserted])
    found = ProviderJob.objects.get(variant=4)
    apart = {"id", "variant", "external_id", "next_action_at", "deadline_at", "created_at"}
    assert model_to_dict(found, exclude=apart) == model_to_dict(saved, exclude=apart)
    assert (found.next_action_at, found.created_at) == (
        inserted.next_action_at,
        inserted.created_at,
    )


def test_rows_inserted_together_get_keys_of_their_own():
    generation = submit(make_member(credits=1000))
    insert([job(generation, 3), job(generation, 4)])
    assert ProviderJob.objects.filter(variant__in=[3, 4]).values("pk").distinct().count() == 2

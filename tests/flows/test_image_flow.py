"""An image from prompt to paid-for picture, through real worker and beat processes."""

import redis
from django.conf import settings

from assets import selectors as asset_selectors
from creative_hub.models import Generation, ProviderJob
from tests.factories import balance_of, make_member
from tests.flows.processes import let_leases_run_out, running_stack, wait_until
from tests.flows.steps import ended, states, submit_now


def test_four_variants_are_made_stored_and_paid_for(flow):
    buyer = make_member(credits=25_000)
    generation = submit_now(buyer, num_variants=4, aspect_ratio="4:5", resolution="1080p")
    assert balance_of(buyer) == (24_868, 132)
    with running_stack():
        wait_until(ended(generation), what="the generation ends")
    generation.refresh_from_db()
    assert (generation.status, generation.delivered) == ("completed", 4)
    assert generation.credits_charged == 132
    assert balance_of(buyer) == (24_868, 0)
    ids = ProviderJob.objects.values_list("asset_id", flat=True)
    assets = asset_selectors.by_ids(ids)
    assert [(one.width, one.height) for one in assets.values()] == [(1080, 1350)] * 4
    assert len({one.sha256 for one in assets.values()}) == 4


def test_a_worker_killed_while_the_provider_renders_costs_nothing_but_time(flow):
    buyer = make_member(credits=1000)
    generation = submit_now(buyer, num_variants=2)
    with running_stack(SANDBOX_DELAY_S="3") as stack:
        wait_until(lambda: states(generation) == ["running"] * 2, what="both jobs run")
        stack.kill_worker()
        let_leases_run_out()
        stack.start_worker()
        wait_until(ended(generation), what="the generation ends")
    generation.refresh_from_db()
    assert (generation.status, generation.credits_charged) == ("completed", 66)
    assert balance_of(buyer) == (934, 0)


def test_a_flushed_redis_loses_nothing(flow):
    buyer = make_member(credits=1000)
    client = redis.Redis.from_url(settings.REDIS_URL)
    with running_stack(SANDBOX_DELAY_S="2"):
        first = submit_now(buyer, num_variants=2)
        wait_until(lambda: "running" in states(first), what="a job runs")
        client.flushall()
        second = submit_now(buyer)
        wait_until(ended(first), what="the first generation ends")
        client.flushall()
        wait_until(ended(second), what="the second generation ends")
    client.close()
    assert set(Generation.objects.values_list("status", flat=True)) == {"completed"}
    assert balance_of(buyer) == (901, 0)

"""Start frames that are addresses: fetched by the worker, kept, cropped and sent along."""

import resource

import pytest

from assets import selectors as asset_selectors
from creative_hub.models import Generation
from creative_hub.services import frames
from tests.assets import pictures
from tests.creative_hub.engine import job_of, turn
from tests.factories import balance_of
from tests.flows.steps import (
    KLING,
    assert_delivered,
    assert_failed,
    order_clip,
    ratio_of,
    run_clip,
    states,
)
from tests.lib.fetch.fault_server import serve


@pytest.fixture
def site(settings):
    """Somebody's site, which people may name for start frames."""
    with serve() as server:
        settings.FRAME_ALLOWED_ORIGINS = [server.origin]
        yield server


def found(content, *, kind=b"image/jpeg"):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
    return head % (kind, len(content)) + content


def test_a_picture_behind_an_address_is_fetched_kept_and_cropped(kling, site, buyer, clock):
    url = site.says("/boat.jpg", found(pictures.jpeg(1600, 1200)))
    assert frames.from_url(member=buyer, url=url) == url
    generation = order_clip(buyer, KLING, start_frame_url=url)
    run_clip(generation, clock)
    assert_delivered(generation, buyer=buyer, left=9615)
    kept = asset_selectors.by_ids([generation.start_frame_id])[generation.start_frame_id]
    assert (kept.source, kept.kind) == ("fetched", "image")
    assert (kept.width, kept.height, kept.creator_id) == (1600, 1200, buyer.membership_id)
    assert round(ratio_of(kling.made[0].body["image"]), 2) == 1.78
    assert site.connections == 1


def test_a_picture_is_fetched_once_however_often_the_clip_is_sent(kling, site, buyer, clock):
    url = site.says("/boat.jpg", found(pictures.jpeg(1600, 1200)))
    kling.cause("error", code=1303, times=2)
    generation = order_clip(buyer, KLING, start_frame_url=url)
    run_clip(generation, clock)
    assert_delivered(generation, buyer=buyer, left=9615)
    assert len(kling.asked("POST")) == 3
    assert site.connections == 1


def too_small(site):
    return site.says("/x", found(pictures.jpeg(299, 400)))


def no_picture(site):
    return site.says("/x", found(b"<html>Sign in first</html>"))


def missing(site):
    return site.says("/x", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")


def leading_inside(site):
    to = b"http://169.254.169.254/latest/meta-data/"
    return site.says("/x", b"HTTP/1.1 302 Found\r\nLocation: %s\r\n\r\n" % to)


def of_3_gb(site):
    def answer(connection):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (3 * 1024**3))
        connection.flood(b"\xff" * 65_536)

    return site.says("/x", answer)


def without_end(site):
    def answer(connection):
        connection.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        connection.flood(b"\xff" * 65_536, for_s=10)

    return site.says("/x", answer)


@pytest.mark.parametrize(
    ("picture", "code"),
    [
        (too_small, "frame_unusable"),
        (no_picture, "frame_unusable"),
        (missing, "frame_not_fetched"),
        (leading_inside, "frame_not_fetched"),
        (of_3_gb, "frame_unusable"),
        (without_end, "frame_unusable"),
    ],
)
def test_an_address_without_a_usable_picture_ends_the_clip_before_it_is_sent(
    kling, site, buyer, clock, picture, code
):
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    generation = order_clip(buyer, KLING, start_frame_url=picture(site))
    turn(clock)
    assert_failed(generation, code, buyer=buyer)
    assert generation.start_frame_id is None
    assert kling.requests == []
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 64 * 1024


def test_a_site_that_is_down_for_a_while_is_waited_for(kling, site, buyer, clock):
    answers = [b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", found(pictures.jpeg())]
    url = site.says("/boat.jpg", lambda connection: connection.send(answers.pop(0)))
    generation = order_clip(buyer, KLING, start_frame_url=url)
    turn(clock)
    assert (states(generation), job_of(generation).waits) == (["waiting"], 1)
    assert balance_of(buyer) == (9615, 385)
    run_clip(generation, clock)
    assert_delivered(generation, buyer=buyer, left=9615)


def test_what_only_providers_may_name_is_refused_to_people(kling, buyer, clock, settings):
    with serve() as inner:
        settings.FETCH_ALLOWED_ORIGINS = [*settings.FETCH_ALLOWED_ORIGINS, inner.origin]
        url = inner.says("/boat.jpg", found(pictures.jpeg()))
        with pytest.raises(frames.FrameRefused, match="public https address"):
            frames.from_url(member=buyer, url=url)
        assert not Generation.objects.exists()
        # And should one have been written down all the same:
        generation = order_clip(buyer, KLING, start_frame_url=url)
        turn(clock)
        assert inner.connections == 0
    assert_failed(generation, "frame_not_fetched", buyer=buyer)
    assert kling.requests == []

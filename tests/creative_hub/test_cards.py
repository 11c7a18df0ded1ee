"""What happens on the cards: the poll, cancel, remove and put back."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from creative_hub import selectors
from creative_hub.models import Generation
from tests.creative_hub.engine import finish
from tests.creative_hub.factories import submit
from tests.factories import balance_of, make_member, user_of
from workspaces.roles import Role

pytestmark = pytest.mark.django_db

STUDIO = "/creative-hub/image-studio"
GENERATE = f"{STUDIO}/generate/"
POLL = "/creative-hub/poll/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def buyer(db):
    return make_member(credits=25_000)


@pytest.fixture
def signed_in(client, buyer):
    client.force_login(user_of(buyer))
    return client


def test_a_poll_brings_the_changed_card_and_the_new_revision_only(signed_in, buyer):
    old = submit(buyer)
    seen = selectors.revision(workspace_id=buyer.workspace_id)
    new = submit(buyer)
    body = signed_in.get(POLL, {"v": seen}, headers=HTMX).content.decode()
    assert f'id="gen-{new.pk}"' in body
    assert f'id="gen-{old.pk}"' not in body
    assert re.search(rf'id="rev"[^>]*value="{seen + 1}"', body)


def test_a_poll_with_nothing_left_to_wait_for_stops_the_polling(signed_in, buyer):
    generation = submit(buyer, now=timezone.now(), resolution="720p", num_variants=2)
    finish(generation)
    body = signed_in.get(POLL, {"v": 0}, headers=HTMX).content.decode()
    poller = re.search(r'<div id="poller"[^>]*>', body)
    assert poller
    assert "hx-get" not in poller.group(0)
    assert "66 held → 66 charged" in body


def test_a_poll_says_what_finished(signed_in, buyer):
    generation = submit(buyer, now=timezone.now(), resolution="720p", num_variants=2)
    finish(generation)
    Generation.objects.filter(pk=generation.pk).update(completed_at=timezone.now())
    body = signed_in.get(POLL, {"v": 0}, headers=HTMX).content.decode()
    assert "2 images finished: A boat at dawn</div>" in body


def test_a_poll_of_forty_cards_takes_as_many_queries_as_one_of_one(
    signed_in, buyer, django_assert_max_num_queries
):
    for _ in range(40):
        submit(buyer)
    signed_in.get(POLL, {"v": 0}, headers=HTMX)
    # Two at the door (see docs/adr/0008-hot-paths-are-short.md), eight in the view.
    with django_assert_max_num_queries(12):
        signed_in.get(POLL, {"v": 0}, headers=HTMX)


@pytest.mark.parametrize("v", ["", "x", "-1", "²", "9" * 30, "99999"])
def test_a_poll_without_a_usable_revision_brings_what_is_live(signed_in, buyer, v):
    live = submit(buyer)
    answer = signed_in.get(POLL, {"v": v}, headers=HTMX)
    assert answer.status_code == 200
    assert f'id="gen-{live.pk}"' in answer.content.decode()


def test_an_idle_page_has_nothing_that_asks_the_server(signed_in):
    page = signed_in.get(STUDIO).content.decode()
    poller = re.search(r'<div id="poller"[^>]*>', page)
    assert poller
    assert "every" not in poller.group(0)


def test_a_cancel_shows_that_nothing_was_charged(signed_in, buyer):
    generation = submit(buyer, now=timezone.now())
    answer = signed_in.post(
        reverse("creative_hub:cancel", args=[generation.pk]), {"v": "5"}, headers=HTMX
    )
    body = answer.content.decode()
    assert answer.status_code == 200
    assert "not charged" in body
    assert re.search(r'id="rev"[^>]*value="5"', body)
    assert balance_of(buyer) == (25_000, 0)


def test_a_cancel_that_comes_too_late_says_so(signed_in, buyer):
    generation = submit(buyer, now=timezone.now(), resolution="720p")
    finish(generation)
    answer = signed_in.post(reverse("creative_hub:cancel", args=[generation.pk]), headers=HTMX)
    assert answer.status_code == 409
    assert "already started" in answer.content.decode()
    assert balance_of(buyer) == (24_967, 0)


def test_a_cancel_that_comes_too_late_says_so_on_the_card_and_without_script(signed_in, buyer):
    generation = submit(buyer, now=timezone.now(), resolution="720p")
    finish(generation)
    address = reverse("creative_hub:cancel", args=[generation.pk])
    said = "It has already started and cannot be cancelled."
    card = signed_in.post(address, headers=HTMX).content.decode()
    assert f'<p class="more">{said}</p>' in card
    page = signed_in.post(address, follow=True).content.decode()
    assert f'<li class="note warn">{said}</li>' in page


def test_only_its_maker_is_offered_to_remove_a_card(client, signed_in, buyer):
    generation = submit(buyer, now=timezone.now(), resolution="720p")
    finish(generation)
    remove = reverse("creative_hub:remove", args=[generation.pk])
    assert remove in signed_in.get(STUDIO).content.decode()
    owner = make_member(role=Role.OWNER, workspace_id=buyer.workspace_id)
    client.force_login(user_of(owner))
    page = client.get(STUDIO).content.decode()
    assert f"gen-{generation.pk}" in page
    assert remove not in page


def test_a_poll_brings_what_is_left_for_what_the_composer_is_set_to(signed_in, buyer):
    submit(buyer, num_variants=4)
    body = signed_in.get(POLL, {"v": 0, "num_variants": "2"}, headers=HTMX).content.decode()
    assert "2 × 33 credits" in body
    assert "24,802 left after" in body


def test_a_removed_card_can_be_put_back(signed_in, buyer):
    generation = submit(buyer, now=timezone.now(), resolution="720p")
    finish(generation)
    removed = signed_in.post(reverse("creative_hub:remove", args=[generation.pk]), headers=HTMX)
    assert "Undo" in removed.content.decode()
    assert f"gen-{generation.pk}" not in signed_in.get(STUDIO).content.decode()
    signed_in.post(reverse("creative_hub:restore", args=[generation.pk]), headers=HTMX)
    assert f"gen-{generation.pk}" in signed_in.get(STUDIO).content.decode()

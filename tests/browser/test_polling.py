"""What the page learns by itself, in a real Chromium."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from creative_hub.models import Generation
from tests.browser.steps import PROMPT, card, forgive, generate, lose_the_answer, new_cards, polls
from tests.creative_hub.engine import finish
from tests.creative_hub.factories import submit
from tests.factories import make_member

pytestmark = pytest.mark.browser


def test_what_a_lost_press_ordered_comes_to_an_idle_page_once_and_in_its_place(signed_in, faults):
    buyer = make_member(credits=1000)
    older = submit(buyer, now=timezone.now(), resolution="720p")
    finish(older)
    page = signed_in(buyer)
    expect(page.locator("#poller[hx-get]")).to_have_count(0)
    page.get_by_label("Prompt").fill(PROMPT)
    page.route("**/generate/", lose_the_answer)
    generate(page)
    expect(new_cards(page)).to_have_count(2, timeout=12_000)
    new = Generation.objects.get(prompt=PROMPT)
    expect(new_cards(page).first).to_have_attribute("id", f"gen-{new.pk}")
    expect(page.locator("#no-answer")).to_be_hidden()
    page.unroute("**/generate/")
    generate(page)
    expect(new_cards(page)).to_have_count(3)
    assert Generation.objects.count() == 3
    forgive(faults, "ERR_FAILED")


def test_a_generation_ordered_elsewhere_appears_where_a_reload_would_show_it(signed_in):
    buyer = make_member(credits=1000)
    first = submit(buyer, now=timezone.now())
    page = signed_in(buyer)
    second = submit(buyer, now=timezone.now())
    third = submit(buyer, now=timezone.now())
    expect(new_cards(page)).to_have_count(3, timeout=12_000)
    shown = new_cards(page).evaluate_all("cards => cards.map(card => card.id)")
    assert shown == [f"gen-{one.pk}" for one in (third, second, first)]


def test_what_is_left_follows_the_meter(signed_in):
    buyer = make_member(credits=1000)
    page = signed_in(buyer)
    page.get_by_label("Prompt").fill(PROMPT)
    expect(page.locator("#cost-note")).to_contain_text("967 left after")
    generate(page)
    expect(page.locator("#cost-note")).to_contain_text("934 left after")
    new_cards(page).get_by_role("button", name="Cancel").click()
    expect(page.locator("#cost-note")).to_contain_text("967 left after")


def test_what_ends_leaves_the_list_of_what_is_in_progress(signed_in):
    buyer = make_member(credits=1000)
    generation = submit(buyer, now=timezone.now(), resolution="720p")
    page = signed_in(buyer, "/creative-hub/image-studio?show=in-progress")
    expect(card(page, generation)).to_be_visible()
    finish(generation)
    expect(card(page, generation)).to_have_count(0, timeout=12_000)
    expect(page.get_by_text("Nothing in progress")).to_be_visible()


def test_an_idle_page_sends_no_request_at_all(signed_in):
    page = signed_in(make_member(credits=1000))
    page.wait_for_load_state("networkidle")
    sent = polls(page)
    page.wait_for_timeout(9000)
    assert sent == []


def test_a_poll_without_news_leaves_the_page_as_it_is(signed_in):
    buyer = make_member(credits=1000)
    submit(buyer, now=timezone.now())
    page = signed_in(buyer)
    page.wait_for_load_state("networkidle")
    # The ticking clock of a card is the page's own doing.
    page.evaluate("for (const e of document.querySelectorAll('[data-elapsed]')) e.remove()")
    before = page.evaluate("document.body.innerHTML")
    with page.expect_response("**/poll/**", timeout=9000) as answer:
        pass
    assert answer.value.status == 204
    page.wait_for_timeout(200)
    assert page.evaluate("document.body.innerHTML") == before


def test_what_plays_on_one_card_is_not_disturbed_by_the_end_of_another(signed_in):
    buyer = make_member(credits=1000)
    still = submit(buyer, now=timezone.now(), resolution="720p")
    finish(still)
    moving = submit(buyer, now=timezone.now(), resolution="720p", num_variants=2)
    page = signed_in(buyer)
    page.evaluate(
        """id => {
            const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
            setInterval(() => pen.fillRect(Math.random() * 99, 0, 9, 9), 40);
            const video = document.createElement("video");
            video.muted = true; video.id = "playing"; video.srcObject = canvas.captureStream(25);
            document.getElementById(id).querySelector(".stage").append(video);
            window.played = video; return video.play();
        }""",
        f"gen-{still.pk}",
    )
    page.locator(f"#more-{still.pk}").click()
    finish(moving)
    expect(card(page, moving).locator(".status.completed")).to_be_visible(timeout=12_000)
    at = page.evaluate("played.currentTime")
    page.wait_for_timeout(400)
    assert page.evaluate("document.getElementById('playing') === played && !played.paused")
    assert page.evaluate("played.currentTime") > at
    assert page.locator(f"#gen-{still.pk} details").evaluate("menu => menu.open")


def test_a_submit_during_a_poll_does_not_hide_what_the_poll_was_bringing(signed_in, faults):
    """The submit re-arms the poller, which drops the answer under way; the next one repeats it."""
    buyer = make_member(credits=1000)
    running = submit(buyer, now=timezone.now(), resolution="720p")
    page = signed_in(buyer)
    page.get_by_label("Prompt").fill(PROMPT)
    held: list[Any] = []

    def hold_the_first(route):
        if held:
            route.continue_()
        else:
            held.append((route, route.fetch()))

    page.route("**/poll/**", hold_the_first)
    finish(running)
    deadline = time.monotonic() + 10
    while not held and time.monotonic() < deadline:
        page.wait_for_timeout(100)
    assert held, "a poll was sent"
    generate(page)
    expect(page.locator("li.card:not(#ghost)")).to_have_count(2)
    route, answer = held[0]
    route.fulfill(response=answer)
    expect(card(page, running).locator(".status.completed")).to_be_visible(timeout=12_000)
    # What htmx writes when it drops an answer whose poller is gone.
    faults[:] = [one for one in faults if "oobErrorNoTarget" not in one]


def test_a_server_that_is_overloaded_is_asked_less_often_and_the_page_says_so(signed_in, faults):
    buyer = make_member(credits=1000)
    submit(buyer, now=timezone.now())
    page = signed_in(buyer)
    asked: list[float] = []

    def overloaded(route):
        asked.append(time.monotonic())
        route.fulfill(status=503, body="")

    page.route("**/poll/**", overloaded)
    expect(page.locator("#conn")).to_be_visible(timeout=9000)
    page.wait_for_timeout(13_000)
    assert 1 <= len(asked) <= 3
    page.unroute("**/poll/**")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator("#conn")).to_be_hidden(timeout=9000)
    faults[:] = [one for one in faults if "503" not in one and "Error Status" not in one]

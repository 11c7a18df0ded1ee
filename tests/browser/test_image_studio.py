"""Ordering pictures as a media buyer does, in a real Chromium against real processes."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import expect

from creative_hub.models import Generation, ProviderJob
from tests.browser.conftest import watch
from tests.browser.steps import PROMPT, card, choose, forgive, generate, lose_the_answer, new_cards
from tests.creative_hub.engine import finish
from tests.creative_hub.factories import submit
from tests.factories import balance_of, make_member
from tests.flows.processes import running_stack

pytestmark = pytest.mark.browser


def test_a_buyer_signs_in_and_gets_four_pictures_that_are_stored_and_paid_for(
    site, page, faults, tmp_path
):
    buyer = make_member(credits=25_000)
    watch(page, faults)
    with running_stack(SANDBOX_DELAY_S="3"):
        page.goto(site)
        page.locator("input[name=login]").fill(buyer.email)
        page.get_by_label("Password", exact=True).fill("a password")
        page.keyboard.press("Enter")
        page.wait_for_url("**/image-studio")
        expect(page.locator("#credit-meter")).to_contain_text("25,000")

        page.get_by_label("Prompt").fill(PROMPT)
        choose(page, "aspect_ratio", "4:5")
        choose(page, "num_variants", "4")
        expect(page.locator("#generate")).to_contain_text("Generate 4 images")
        expect(page.locator("#generate")).to_contain_text("132 credits")
        generate(page)

        new = page.locator("li.card:not(#ghost)").first
        expect(new).to_contain_text("132 credits held")
        expect(page.locator("#credit-meter")).to_contain_text("132 held")
        expect(new.locator(".status.processing")).to_be_visible(timeout=15_000)
        expect(new.locator(".status.completed")).to_have_text("4 images", timeout=30_000)

    expect(new.locator(".receipt")).to_have_text("132 held → 132 charged")
    expect(page.locator("#credit-meter")).to_contain_text("24,868")
    expect(page.locator("#credit-meter")).not_to_contain_text("held")
    assert balance_of(buyer) == (24_868, 0)
    originals = [job.asset_id for job in ProviderJob.objects.all()]
    sizes = page.evaluate(
        """async ids => Promise.all(ids.map(async id => {
            const image = new Image(); image.src = `/media/${id}`; await image.decode();
            return [image.naturalWidth, image.naturalHeight]; }))""",
        [str(one) for one in originals],
    )
    assert sizes == [[1080, 1350]] * 4

    new.locator("a.frame").first.click()
    viewer = page.locator("#viewer")
    expect(viewer).to_be_visible()
    with page.expect_download() as download:
        viewer.get_by_role("link", name="Download").first.click()
    assert re.fullmatch(
        r"wevion-image-\d{8}-a-lone-car-on-a-desert-highway-at-golden-hour-4x5-v1\.jpg",
        download.value.suggested_filename,
    )
    assert faults == []


def test_the_prompt_survives_success_and_the_form_stays_usable(signed_in):
    buyer = make_member(credits=1000)
    page = signed_in(buyer)
    page.get_by_label("Prompt").fill(PROMPT)
    generate(page)
    expect(page.locator("li.card:not(#ghost)")).to_have_count(1)
    expect(page.get_by_label("Prompt")).to_have_value(PROMPT)
    generate(page)
    expect(page.locator("li.card:not(#ghost)")).to_have_count(2)
    assert balance_of(buyer) == (934, 66)


def test_three_submits_in_one_moment_are_one_job(signed_in):
    buyer = make_member(credits=1000)
    page = signed_in(buyer)
    page.get_by_label("Prompt").fill(PROMPT)
    page.evaluate(
        "() => { const f = document.getElementById('composer');"
        " f.requestSubmit(); f.requestSubmit(); f.requestSubmit(); }"
    )
    expect(page.locator("li.card:not(#ghost)")).to_have_count(1)
    page.wait_for_timeout(500)
    assert Generation.objects.count() == 1
    assert balance_of(buyer) == (967, 33)


def test_control_enter_generates_from_the_prompt(signed_in):
    buyer = make_member(credits=1000)
    page = signed_in(buyer)
    page.get_by_label("Prompt").fill(PROMPT)
    page.keyboard.press("Control+Enter")
    expect(page.locator("li.card:not(#ghost)")).to_have_count(1)


def test_an_empty_prompt_moves_the_focus_to_a_summary_that_leads_to_the_field(signed_in):
    page = signed_in(make_member(credits=1000))
    choose(page, "num_variants", "3")
    expect(page.locator("#generate")).to_contain_text("99 credits")
    generate(page)
    summary = page.locator("#error-summary")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("Write a prompt of 1 to 4000 characters.")
    expect(page.locator("input[name=num_variants][value='3']")).to_be_checked()
    expect(page).to_have_title(re.compile("^Error: "))
    summary.get_by_role("link").click()
    expect(page.get_by_label("Prompt")).to_be_focused()
    assert not Generation.objects.exists()


def test_too_little_credit_is_said_beside_the_form_and_the_prompt_stays(signed_in):
    poor = make_member(credits=84)
    page = signed_in(poor)
    page.get_by_label("Prompt").fill(PROMPT)
    choose(page, "num_variants", "4")
    expect(page.locator("#generate")).to_contain_text("132 credits")
    generate(page)
    notice = page.locator("#composer-notice")
    expect(notice.get_by_role("heading")).to_have_text("Insufficient credits")
    expect(notice).to_contain_text("84")
    assert page.evaluate(
        "document.getElementById('composer-notice').contains(document.activeElement)"
    )
    expect(page.get_by_label("Prompt")).to_have_value(PROMPT)
    assert balance_of(poor) == (84, 0)


def test_the_draft_survives_a_reload_and_a_signed_out_session(signed_in, context, faults):
    page = signed_in(make_member(credits=1000))
    page.get_by_label("Prompt").fill(PROMPT)
    choose(page, "aspect_ratio", "9:16")
    page.reload()
    expect(page.get_by_label("Prompt")).to_have_value(PROMPT)
    expect(page.locator("input[name=aspect_ratio][value='9:16']")).to_be_checked()
    context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    generate(page)
    expect(page.locator("#signed-out")).to_be_visible()
    faults.clear()  # htmx writes the 401 to the console
    expect(page.get_by_label("Prompt")).to_have_value(PROMPT)
    assert not Generation.objects.exists()


def test_a_second_tap_is_no_second_order_and_a_later_press_is_one(signed_in):
    buyer = make_member(credits=1000)
    page = signed_in(buyer)
    page.get_by_label("Prompt").fill(PROMPT)
    generate(page)
    expect(page.locator("#generate")).to_contain_text("Queued ✓")
    page.locator("#generate").dispatch_event("click")
    page.locator("#prompt").press("Control+Enter")
    page.wait_for_timeout(300)
    assert Generation.objects.count() == 1
    expect(page.locator("#generate")).to_have_text(re.compile("Generate 1 image"))
    expect(page.locator("#generate")).not_to_have_attribute("aria-disabled", "true")
    generate(page)
    expect(new_cards(page)).to_have_count(2)
    assert balance_of(buyer) == (934, 66)


def test_offline_nothing_is_sent_and_trying_again_is_one_job(signed_in, context, faults):
    buyer = make_member(credits=1000)
    page = signed_in(buyer)
    page.get_by_label("Prompt").fill(PROMPT)
    context.set_offline(True)
    generate(page)
    expect(page.locator("#not-sent")).to_contain_text("Not sent. Nothing was charged.")
    expect(page.locator("#not-sent")).to_be_focused()
    context.set_offline(False)
    page.locator("#not-sent").get_by_role("button", name="Try again").click()
    expect(new_cards(page)).to_have_count(1)
    expect(page.locator("#not-sent")).to_be_hidden()
    assert balance_of(buyer) == (967, 33)
    forgive(faults, "ERR_INTERNET_DISCONNECTED")


def test_a_lost_answer_promises_nothing_and_trying_again_is_one_job(signed_in, faults):
    buyer = make_member(credits=1000)
    page = signed_in(buyer)
    page.get_by_label("Prompt").fill(PROMPT)
    page.route("**/generate/", lose_the_answer)
    page.route("**/poll/**", lambda route: route.abort())
    generate(page)
    expect(page.locator("#no-answer")).to_be_focused()
    expect(page.locator("#no-answer")).to_contain_text("No answer came")
    expect(page.locator("#no-answer")).to_contain_text("It may have been ordered.")
    expect(page.locator("#not-sent")).to_be_hidden()
    assert Generation.objects.count() == 1
    page.unroute("**/generate/")
    page.locator("#no-answer").get_by_role("button", name="Try again").click()
    expect(new_cards(page)).to_have_count(1)
    assert Generation.objects.count() == 1
    assert balance_of(buyer) == (967, 33)
    forgive(faults, "ERR_FAILED")


def test_a_price_that_could_not_be_asked_is_not_shown_as_valid_and_orders_nothing(
    signed_in, faults
):
    buyer = make_member(credits=1000)
    page = signed_in(buyer)
    page.get_by_label("Prompt").fill(PROMPT)
    page.route("**/quote/**", lambda route: route.abort())
    choose(page, "num_variants", "4")
    expect(page.locator("#cost")).to_have_attribute("aria-busy", "true")
    expect(page.locator("#generate")).to_contain_text("updating…")
    generate(page)
    notice = page.locator("#composer-notice")
    expect(notice).to_contain_text("The price is 132 credits for 4 images")
    expect(notice).to_contain_text("Nothing was ordered")
    assert not Generation.objects.exists()
    expect(page.locator("#generate")).to_contain_text("132 credits")
    generate(page)
    expect(new_cards(page)).to_have_count(1)
    assert balance_of(buyer) == (868, 132)
    forgive(faults, "ERR_FAILED")


def test_a_question_that_fails_late_does_not_undo_the_price_a_press_has_brought(signed_in, faults):
    page = signed_in(make_member(credits=1000))
    page.get_by_label("Prompt").fill(PROMPT)
    asked: list[Any] = []
    page.route("**/quote/**", lambda route: asked.append(route))
    choose(page, "num_variants", "4")
    deadline = time.monotonic() + 5
    while not asked and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    generate(page)
    expect(page.locator("#generate")).to_contain_text("132 credits")
    asked[0].abort()
    page.wait_for_timeout(300)
    expect(page.locator("#generate")).to_contain_text("132 credits")
    forgive(faults, "ERR_FAILED")


def test_a_price_is_asked_again_when_the_network_is_back(signed_in, context, faults):
    page = signed_in(make_member(credits=1000))
    context.set_offline(True)
    choose(page, "num_variants", "2")
    expect(page.locator("#generate")).to_contain_text("updating…")
    page.wait_for_timeout(400)
    context.set_offline(False)
    expect(page.locator("#generate")).to_contain_text("66 credits", timeout=3000)
    forgive(faults, "ERR_INTERNET_DISCONNECTED")


def test_a_refusal_goes_when_another_choice_fits(signed_in):
    page = signed_in(make_member(credits=84))
    page.get_by_label("Prompt").fill(PROMPT)
    choose(page, "num_variants", "4")
    expect(page.locator("#generate")).to_contain_text("132 credits")
    generate(page)
    expect(page.locator("#notice")).to_contain_text("Insufficient credits")
    choose(page, "num_variants", "2")
    expect(page.locator("#generate")).to_contain_text("66 credits")
    expect(page.locator("#notice")).to_have_count(0)


def test_on_a_phone_the_bar_says_queued_and_leads_to_the_results(signed_in):
    page = signed_in(make_member(credits=1000))
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_label("Prompt").fill(PROMPT)
    generate(page)
    link = page.locator(".genbar").get_by_role("link", name="View results")
    expect(link).to_be_in_viewport()
    expect(page.locator(".genbar .queued")).to_contain_text("Queued ✓")
    link.click()
    expect(new_cards(page)).to_be_in_viewport()


def test_reusing_the_prompt_only_keeps_the_settings(signed_in):
    buyer = make_member(credits=1000)
    generation = submit(buyer, now=timezone.now(), resolution="720p", prompt="A red kite")
    finish(generation)
    page = signed_in(buyer)
    page.get_by_label("Prompt").fill(PROMPT)
    choose(page, "aspect_ratio", "16:9")
    choose(page, "num_variants", "3")
    page.locator(f"#more-{generation.pk}").click()
    page.get_by_role("link", name="Reuse prompt only").click()
    expect(page.get_by_label("Prompt")).to_have_value("A red kite")
    expect(page.locator("input[name=aspect_ratio][value='16:9']")).to_be_checked()
    expect(page.locator("input[name=num_variants][value='3']")).to_be_checked()
    expect(page.locator("#generate")).to_contain_text("99 credits")


def test_the_counter_counts_as_the_server_does(signed_in):
    page = signed_in(make_member(credits=1000))
    page.get_by_label("Prompt").fill("🚗" * 4001)
    expect(page.locator("#prompt-count")).to_have_text("4001 / 4000")
    generate(page)
    expect(page.locator("#error-summary")).to_contain_text("4001 characters")


def test_everything_works_without_script(site, browser, browser_context_args):
    buyer = make_member(credits=1000)
    context = browser.new_context(**{**browser_context_args, "java_script_enabled": False})
    page = context.new_page()
    page.goto(f"{site}/creative-hub/image-studio")
    page.locator("input[name=login]").fill(buyer.email)
    page.get_by_label("Password", exact=True).fill("a password")
    page.keyboard.press("Enter")
    choose(page, "num_variants", "2")
    page.get_by_role("button", name="Update price").click()
    expect(page.locator("#generate")).to_contain_text("66 credits")
    generate(page)
    expect(page.locator("#error-summary")).to_be_visible()
    page.get_by_label("Prompt").fill(PROMPT)
    generate(page)
    generation = Generation.objects.get()
    assert page.url.endswith(f"?job={generation.pk}#gen-{generation.pk}")
    expect(card(page, generation)).to_contain_text("66 credits held")
    finish(generation)
    card(page, generation).get_by_role("link", name="Refresh").click()
    expect(card(page, generation).locator(".status.completed")).to_have_text("2 images")
    card(page, generation).locator("a.frame").first.click()
    assert "/creative-hub/assets/" in page.url
    expect(page.get_by_role("link", name="Download").first).to_be_visible()
    context.close()

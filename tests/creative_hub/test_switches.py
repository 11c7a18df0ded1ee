"""Switching providers: in the administration, and what an operator is told to mend."""

import re

import pytest

from creative_hub.models import ProviderSwitch
from creative_hub.providers.base import ErrorClass, ProviderError
from creative_hub.services import submission, switches
from tests.assets.makers import client_of
from tests.creative_hub.engine import send
from tests.creative_hub.factories import submit_clip
from tests.factories import NOW, balance_of, make_member
from workspaces import services as people
from workspaces.models import User
from workspaces.roles import Role

pytestmark = pytest.mark.django_db

PAGE = "/admin/creative_hub/providerswitch/"


@pytest.fixture
def staff(client):
    user_id = people.create_user(email="staff@demo.test", password="a password", is_superuser=True)
    client.force_login(User.objects.get(pk=user_id))
    return client


@pytest.fixture
def buyer(db):
    return make_member(credits=25_000)


def listing(**changes):
    """The list of all switches as the page sends it, with changes by provider."""
    rows = ProviderSwitch.objects.order_by("-provider")
    form = {"form-TOTAL_FORMS": len(rows), "form-INITIAL_FORMS": len(rows), "_save": "Save"}
    for index, row in enumerate(rows):
        mode, slots = changes.get(row.provider, (row.mode, row.slots))
        form |= {
            f"form-{index}-provider": row.provider,
            f"form-{index}-mode": mode,
            f"form-{index}-slots": slots,
        }
    return form


def test_every_provider_has_its_switch_and_is_open_at_first(staff):
    page = staff.get(PAGE).content.decode()
    for label in ("Seedream 4.0", "Kling 2.6", "Veo 3.1", "Seedance Pro"):
        assert label in page
    assert set(ProviderSwitch.objects.values_list("mode", flat=True)) == {"open"}
    assert page.count("the sandbox: its keys are not set") == 4


@pytest.mark.parametrize("mode", ["draining", "closed"])
def test_staff_switch_a_provider_in_the_list(staff, buyer, mode):
    assert staff.post(PAGE, listing(veo_3_1=(mode, 7))).status_code == 302
    changed = ProviderSwitch.objects.get(pk="veo_3_1")
    assert (changed.mode, changed.slots) == (mode, 7)
    assert ProviderSwitch.objects.filter(mode="open").count() == 3
    with pytest.raises(submission.ProviderUnavailable) as refused:
        submit_clip(buyer, provider="veo_3_1", duration=4)
    assert str(refused.value) == "Veo 3.1 takes no new orders right now. Try again later."
    assert balance_of(buyer) == (25_000, 0)
    staff.post(PAGE, listing(veo_3_1=("open", 7)))
    assert submit_clip(buyer, provider="veo_3_1", duration=4).status == "queued"


def test_staff_switch_a_provider_on_its_own_page(staff):
    page = f"{PAGE}veo_3_1/change/"
    assert staff.get(page).status_code == 200
    assert staff.post(page, {"mode": "draining", "slots": "9"}).status_code == 302
    changed = ProviderSwitch.objects.get(pk="veo_3_1")
    assert (changed.mode, changed.slots) == ("draining", 9)


@pytest.mark.parametrize("slots", ["0", "-1", "", "x", "99999999999"])
def test_a_provider_without_a_place_is_refused(staff, slots):
    before = ProviderSwitch.objects.get(pk="veo_3_1").slots
    for answer in (
        staff.post(PAGE, listing(veo_3_1=("open", slots))),
        staff.post(f"{PAGE}veo_3_1/change/", {"mode": "open", "slots": slots}),
    ):
        assert answer.status_code == 200
        assert 'class="errorlist"' in answer.content.decode()
    assert ProviderSwitch.objects.get(pk="veo_3_1").slots == before


def test_no_places_at_all_says_what_is_allowed(staff):
    answer = staff.post(f"{PAGE}veo_3_1/change/", {"mode": "open", "slots": "0"})
    assert "Ensure this value is greater than or equal to 1." in answer.content.decode()


def test_no_switch_is_added_or_deleted(staff):
    assert staff.get(f"{PAGE}add/").status_code == 403
    assert staff.post(f"{PAGE}veo_3_1/delete/", {"post": "yes"}).status_code == 403
    assert ProviderSwitch.objects.count() == 4


@pytest.mark.parametrize(
    ("provider", "flaw", "remedy"),
    [
        (
            "kling_2_6",
            ErrorClass.AUTH,
            "Check KLING_ACCESS_KEY and KLING_SECRET_KEY: the provider does not accept it.",
        ),
        (
            "veo_3_1",
            ErrorClass.AUTH,
            "Check VEO_PROJECT and VEO_CREDENTIALS: the provider does not accept it.",
        ),
        (
            "seedance_pro",
            ErrorClass.MODEL_GONE,
            "The provider does not serve the model in SEEDANCE_MODEL to this account. Set"
            " SEEDANCE_MODEL to one it offers,",
        ),
        (
            "seedream_4_0",
            ErrorClass.PROVIDER_CREDIT,
            "Top up the account with the provider, or lift its own limits.",
        ),
    ],
)
def test_what_only_an_operator_mends_is_shown_until_a_job_works(staff, provider, flaw, remedy):
    error = ProviderError(flaw, "1002: access key not found", code="1002")
    switches.report(provider=provider, error=error, now=NOW)
    for page in (PAGE, f"{PAGE}{provider}/change/"):
        assert remedy in staff.get(page).content.decode()
    assert "1002: access key not found" in staff.get(f"{PAGE}{provider}/change/").content.decode()
    switches.works(provider=provider)
    assert remedy not in staff.get(PAGE).content.decode()
    assert ProviderSwitch.objects.get(pk=provider).problem_at is None


@pytest.mark.parametrize(
    "flaw", [ErrorClass.RATE_LIMITED, ErrorClass.TRANSIENT, ErrorClass.CONTENT_REFUSED]
)
def test_what_mends_itself_or_is_the_makers_to_mend_troubles_no_operator(flaw):
    error = ProviderError(flaw, "busy", code="429")
    switches.report(provider="kling_2_6", error=error, now=NOW)
    assert not ProviderSwitch.objects.exclude(problem="").exists()


def test_a_problem_is_kept_for_a_provider_nobody_has_switched_yet():
    ProviderSwitch.objects.all().delete()
    error = ProviderError(ErrorClass.AUTH, "no", code="401")
    switches.report(provider="kling_2_6", error=error, now=NOW)
    kept = ProviderSwitch.objects.get()
    assert (kept.provider, kept.mode, kept.slots) == ("kling_2_6", "open", 3)


def test_served_by_says_by_whom_or_which_setting_is_missing(staff, settings):
    settings.KLING_ACCESS_KEY, settings.KLING_SECRET_KEY = "an access key", "a secret key"
    settings.SANDBOX = False
    page = staff.get(PAGE).content.decode()
    served = re.findall(r'class="field-served_by">([^<]+)<', page)
    assert sorted(served) == sorted(
        [
            "the provider",
            "Set VEO_PROJECT and VEO_CREDENTIALS, or SANDBOX=1 to try everything with the"
            " placeholder renderer.",
            *["Set ARK_API_KEY, or SANDBOX=1 to try everything with the placeholder renderer."] * 2,
        ]
    )
    assert "a secret key" not in page


@pytest.mark.parametrize("role", list(Role), ids=str)
def test_no_role_of_a_workspace_opens_the_switches(buyer, role):
    client = client_of(make_member(role=role, workspace_id=buyer.workspace_id))
    assert client.get("/admin/").status_code in {302, 403}
    assert client.get(PAGE).status_code in {302, 403}
    assert client.post(PAGE, listing(veo_3_1=("closed", 1))).status_code in {302, 403}
    assert not ProviderSwitch.objects.exclude(mode="open").exists()


def test_a_draining_provider_finishes_what_was_ordered(buyer):
    clip = submit_clip(buyer)
    ProviderSwitch.objects.filter(pk="kling_2_6").update(mode="draining")
    send(clip)
    assert clip.jobs.get().state == "fetching"
    assert balance_of(buyer) == (24_615, 385)


def test_a_closed_provider_gives_its_line_up_and_the_credits_back(buyer):
    clips = [submit_clip(buyer) for _ in range(5)]
    ProviderSwitch.objects.filter(pk="kling_2_6").update(mode="closed")
    for clip in clips:
        send(clip)
    for clip in clips:
        clip.refresh_from_db()
        assert (clip.status, clip.error_code) == ("failed", "switched_off")
        assert clip.error_message == (
            "This provider was switched off before the job was sent. Choose another one, or try"
            " again later."
        )
    assert balance_of(buyer) == (25_000, 0)


def test_a_switched_off_provider_says_so_where_it_is_chosen(buyer):
    ProviderSwitch.objects.filter(pk="seedance_pro").update(mode="closed")
    page = client_of(buyer).get("/creative-hub/video-studio").content.decode()
    about = re.search(r'id="about-seedance_pro">(.*?)</span>', page, re.S)
    assert about
    assert about[1].startswith("Seedance Pro takes no new orders right now. Try again later.")
    assert page.count("takes no new orders") == 1

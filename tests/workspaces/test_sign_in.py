"""Signing in by e-mail: no sign-up, resets by link, guesses throttled."""

import re
from urllib.parse import urlsplit

import pytest

from tests.factories import make_member
from workspaces.models import User

STUDIO = "/creative-hub/image-studio"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/account/login/", 200),
        ("/account/password/reset/", 200),
        ("/account/signup/", 200),
        ("/account/inactive/", 200),
        ("/account/email/", 404),
        ("/account/confirm-email/", 404),
    ],
)
def test_only_the_pages_of_signing_in_exist(client, db, path, status):
    assert client.get(path).status_code == status


def test_nobody_can_sign_up(client, db):
    form = {"email": "new@demo.test", "password1": "a long password 7"}
    answer = client.post("/account/signup/", form)
    assert "No sign-up" in answer.content.decode()
    assert not User.objects.exists()


def test_a_password_is_reset_by_a_link_in_an_email(client, db, mailoutbox):
    member = make_member()
    client.post("/account/password/reset/", {"email": member.email})
    [mail] = mailoutbox
    assert mail.to == [member.email]
    link = re.search(r"https?://\S+/account/password/reset/key/\S+", mail.body)
    assert link
    path = urlsplit(link.group(0)).path
    form = client.get(path, follow=True)
    answer = client.post(
        form.redirect_chain[-1][0],
        {"password1": "another password 7", "password2": "another password 7"},
    )
    assert answer.status_code == 302
    assert User.objects.get(pk=member.user_id).check_password("another password 7")


def test_a_reset_for_nobody_answers_the_same_and_tells_nothing(client, db, mailoutbox):
    make_member()
    answer = client.post("/account/password/reset/", {"email": "nobody@demo.test"})
    assert answer.status_code == 302
    assert "/password/reset/done/" in answer["Location"]


def test_guessing_a_password_is_throttled(client, db):
    member = make_member()
    wrong = {"login": member.email, "password": "wrong password"}
    for _ in range(5):
        client.post("/account/login/", wrong)
    right = {"login": member.email, "password": "a password"}
    answer = client.post("/account/login/", right)
    assert answer.status_code == 200
    assert "Too many failed login attempts" in answer.content.decode()
    assert client.get(STUDIO).status_code == 302


def test_the_right_password_signs_in_and_leads_back_to_the_page(client, db):
    member = make_member()
    answer = client.post(
        "/account/login/?next=/creative-hub/image-studio?reuse=1",
        {"login": member.email.upper(), "password": "a password"},
    )
    assert answer.status_code == 302
    assert answer["Location"] == "/creative-hub/image-studio?reuse=1"


def test_signing_in_never_leads_to_another_site(client, db):
    member = make_member()
    answer = client.post(
        "/account/login/?next=https://evil.example/",
        {"login": member.email, "password": "a password", "next": "https://evil.example/"},
    )
    assert "evil" not in answer["Location"]

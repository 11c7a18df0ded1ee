"""A wrong setting stops the start with one sentence that names it."""

import os
import subprocess
import sys

import pytest
from django.conf import settings


def start(**changes: str | None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **{name: value or "" for name, value in changes.items()}}
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"SECRET_KEY": None}, "SECRET_KEY is missing."),
        ({"SECRET_KEY": "short"}, "SECRET_KEY must have at least 50 characters."),
        ({"DATABASE_URL": None}, "DATABASE_URL is missing."),
        ({"DATABASE_URL": "sqlite:///x"}, "DATABASE_URL must be a postgres or postgresql address."),
        ({"REDIS_URL": "http://x"}, "REDIS_URL must be a redis or rediss or unix address."),
        ({"DEBUG": "maybe"}, "DEBUG must be 1 or 0, not 'maybe'."),
        ({"SANDBOX_DELAY_S": "soon"}, "SANDBOX_DELAY_S must be a number from 0 to 600, not 'soon'"),
        ({"SANDBOX_DELAY_S": "-1"}, "SANDBOX_DELAY_S must be a number from 0 to 600, not '-1'"),
        (
            {"FETCH_ALLOWED_ORIGINS": "127.0.0.1:9000"},
            "FETCH_ALLOWED_ORIGINS must list exact origins",
        ),
        ({"ARK_API_BASE": "ftp://x"}, "ARK_API_BASE must be a http or https address."),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL must be INFO, DEBUG, WARNING or ERROR, not 'LOUD'."),
        ({"DATABASE_URL": "postgres://h:xx/n"}, "DATABASE_URL must name a host, and a port only"),
        ({"REDIS_URL": "redis://h:xx/0"}, "REDIS_URL must name a host, and a port only"),
        ({"SITE_URL": "https://"}, "SITE_URL must name a host"),
        ({"SITE_URL": "https://a.example/b"}, "SITE_URL must be an address without a path."),
        ({"ARK_API_BASE": "https://"}, "ARK_API_BASE must name a host"),
        ({"FETCH_ALLOWED_ORIGINS": "https://a:b"}, "FETCH_ALLOWED_ORIGINS must list exact origins"),
        ({"FETCH_ALLOWED_ORIGINS": "https://a?x"}, "FETCH_ALLOWED_ORIGINS must list exact origins"),
        ({"TRUSTED_PROXY_COUNT": "1.5"}, "TRUSTED_PROXY_COUNT must be a whole number, not 1.5."),
        ({"EMAIL_URL": "foo://x"}, "EMAIL_URL must be an address such as smtp+tls://"),
        (
            {"S3_BUCKET": "b", "S3_ADDRESSING_STYLE": "foo"},
            "S3_ADDRESSING_STYLE must be auto, path or virtual, not 'foo'.",
        ),
    ],
)
def test_a_wrong_value_is_a_sentence_and_no_traceback(changes, sentence):
    result = start(**changes)
    assert result.returncode == 1
    assert result.stderr.startswith(f"Not started: {sentence}")
    assert "Traceback" not in result.stderr


def test_right_values_start():
    assert start().returncode == 0

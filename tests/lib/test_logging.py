"""What must never reach a log does not."""

import pytest
import structlog

from wevion.lib.logging import logging_config, scrub


def test_a_links_signature_is_removed_and_its_address_kept():
    text = "GET https://tos.example/out.jpeg?X-Tos-Signature=abc failed"
    assert scrub(text) == "GET https://tos.example/out.jpeg?[removed] failed"


def test_a_failing_rows_content_is_removed():
    text = "violates check constraint\nDETAIL:  Failing row contains (1, a secret prompt).\nnext"
    assert scrub(text) == "violates check constraint\nDETAIL: [removed]\nnext"


@pytest.mark.parametrize("is_json", [True, False])
def test_private_keys_and_signed_links_are_gone_from_what_is_written(is_json, capsys):
    import logging.config

    before = logging_config(level="INFO", is_json=is_json)
    formatter = before["formatters"]["event"]
    made = formatter.pop("()")(**formatter)
    record = logging.makeLogRecord(
        {
            "name": "t",
            "levelno": 20,
            "levelname": "INFO",
            "msg": {
                "event": "sent https://a.example/x?sig=1",
                "prompt": "a secret prompt",
                "api_key": "k-123",
            },
            "_logger": structlog.get_logger(),
            "_name": "info",
        }
    )
    line = made.format(record)
    assert "secret prompt" not in line
    assert "k-123" not in line
    assert "sig=1" not in line
    assert "https://a.example/x?[removed]" in line

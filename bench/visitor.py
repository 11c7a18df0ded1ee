"""A signed-in browser that talks to the WSGI application directly."""

from __future__ import annotations

import io
import json
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.test import Client

from wevion.wsgi import application
from workspaces.models import User
from workspaces.selectors import Member

BARE = "/bench/bare"
STUDIO = "/creative-hub/image-studio"
POLL = "/creative-hub/poll/"
PRESS = "/creative-hub/image-studio/generate/"
ORDER = "/api/v1/creative-hub/image-studio/generate"
PROMPT = "A perfume bottle on wet basalt at dawn, haze over a calm sea, room for a headline"
_CSRF = "b" * 32


@dataclass(frozen=True, slots=True)
class Visitor:
    """One session. It keeps plain text only, so that it can go to another process."""

    session: str

    def get(self, path: str, *, query: str = "", expect: int = 200) -> None:
        _ask(self._environ("GET", path, QUERY_STRING=query), expect=expect)

    def bare(self) -> None:
        self.get(BARE)

    def order(self) -> None:
        """Submit one generation through the API."""
        body = json.dumps({"prompt": PROMPT, "aspect_ratio": "4:5"}).encode()
        self._post(ORDER, body, "application/json", HTTP_IDEMPOTENCY_KEY=str(uuid.uuid4()))

    def press(self) -> None:
        """Submit one generation by the page's button, which is answered with its card."""
        form = {"prompt": PROMPT, "style": "", "aspect_ratio": "4:5", "resolution": "1080p"}
        form |= {"num_variants": "1", "submission_key": str(uuid.uuid4()), "v": "0"}
        self._post(PRESS, urlencode(form).encode(), "application/x-www-form-urlencoded")

    def _post(self, path: str, body: bytes, content_type: str, **headers: str) -> None:
        environ = self._environ(
            "POST", path, CONTENT_TYPE=content_type, CONTENT_LENGTH=str(len(body)), **headers
        )
        environ["wsgi.input"] = io.BytesIO(body)
        _ask(environ, expect=202)

    def _environ(self, method: str, path: str, **more: str) -> dict[str, Any]:
        return {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "SCRIPT_NAME": "",
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_ACCEPT": "*/*",
            "HTTP_HX_REQUEST": "true",
            "HTTP_COOKIE": f"sessionid={self.session}; csrftoken={_CSRF}",
            "HTTP_X_CSRFTOKEN": _CSRF,
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": io.StringIO(),
            **more,
        }


def visitor(member: Member) -> Visitor:
    client = Client()
    client.force_login(User.objects.get(pk=member.user_id))
    return Visitor(client.cookies["sessionid"].value)


def _ask(environ: dict[str, Any], *, expect: int) -> None:
    statuses: list[str] = []

    def start_response(status: str, *_: Any) -> Any:
        statuses.append(status)

    response = application(environ, start_response)
    body = b"".join(response)
    # Closing is what ends a request: connections are looked after there.
    response.close()
    if not statuses[0].startswith(str(expect)):
        raise AssertionError(f"{environ['PATH_INFO']}: {statuses[0]}: {body[:500]!r}")

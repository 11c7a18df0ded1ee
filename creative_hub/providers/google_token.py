"""Access tokens of a Google service account, for Vertex AI and Cloud Storage.

Source: Google's "Using OAuth 2.0 for server to server applications": a JWT signed with the
account's key is exchanged for a token that lives about an hour. google-auth signs and exchanges.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
import urllib3
from google.auth import transport
from google.auth.exceptions import GoogleAuthError, TransportError
from google.oauth2 import service_account

from creative_hub.providers import http
from creative_hub.providers.base import ErrorClass, ProviderError

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
# A token with its type and life is about 1,200 bytes.
MAX_ANSWER_BYTES = 64 * 1024
CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 10.0
# The longest one token can take with these limits; see ServiceAccountToken.limit_s.
TOKEN_LIMIT_S = CONNECT_TIMEOUT_S + READ_TIMEOUT_S + http.RESOLVER_SLACK_S

_TOKEN = re.compile(r"[\x21-\x7e]{1,8192}")
_JWT = re.compile(r"\beyJ[\w.\-]+")


class ServiceAccountToken:
    """Call it for a valid access token. Safe to share between threads: one of them refreshes.

    path: the account's JSON key file. It is read again for every new token, so that a changed key
    needs no restart. limit_s: the longest one call takes.
    """

    def __init__(
        self,
        path: str,
        *,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        self._path = path
        self._connect_timeout_s = connect_timeout_s
        self._read_timeout_s = read_timeout_s
        self.limit_s = connect_timeout_s + read_timeout_s + http.RESOLVER_SLACK_S
        self._lock = threading.Lock()
        self._credentials: service_account.Credentials | None = None
        self._rounds = 0
        self._failure: ProviderError | None = None

    def __call__(self) -> str:
        """The token. Raises ProviderError: AUTH when it is refused, TRANSIENT when unreachable."""
        seen = self._rounds
        if not self._lock.acquire(timeout=self.limit_s):
            raise ProviderError(
                ErrorClass.TRANSIENT, "waited too long for a token", code="token_not_reached"
            )
        try:
            if self._rounds != seen and self._failure is not None:
                # Those who waited for a round share how it ended, or each would wait as long again.
                raise _copy(self._failure)
            credentials = self._credentials
            if credentials is None or not credentials.valid:
                credentials = self._refresh()
            return str(credentials.token)
        finally:
            self._lock.release()

    def _refresh(self) -> service_account.Credentials:
        self._failure = None
        try:
            credentials = self._loaded()
            self._exchange(credentials)
        except ProviderError as error:
            self._failure = _copy(error)
            raise
        finally:
            self._rounds += 1
        self._credentials = credentials
        return credentials

    def _loaded(self) -> service_account.Credentials:
        try:
            loaded: service_account.Credentials = (
                service_account.Credentials.from_service_account_file(  # type: ignore[no-untyped-call]
                    self._path, scopes=[SCOPE]
                )
            )
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            # Its text may quote the file. The kind of error tells an operator enough.
            raise ProviderError(
                ErrorClass.AUTH,
                f"the service account's key file cannot be used: {type(error).__name__}",
                code="key_file",
            ) from None
        return loaded

    def _exchange(self, credentials: service_account.Credentials) -> None:
        send = _OneRequest(
            connect_timeout_s=self._connect_timeout_s, read_timeout_s=self._read_timeout_s
        )
        try:
            credentials.refresh(send)  # type: ignore[no-untyped-call]
        except TransportError as error:
            raise ProviderError(
                ErrorClass.TRANSIENT, f"no token: {error}", code="token_not_reached"
            ) from error
        except GoogleAuthError as error:
            words = str(error.args[0]) if error.args else type(error).__name__
            raise ProviderError(
                ErrorClass.AUTH,
                http.scrubbed(_JWT.sub("[key]", words), secrets=[]),
                code="token_refused",
            ) from None


# Without a repr: it would show the token.
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Response(transport.Response):
    status: int
    data: bytes
    headers: Mapping[str, str]


class _OneRequest(transport.Request):
    """How google-auth reaches the token endpoint: once, bounded in time and bytes.

    It would try three times by itself; waiting is the engine's business. What it cannot make
    sense of is a TransportError here, as its own code expects a sound answer.
    """

    def __init__(self, *, connect_timeout_s: float, read_timeout_s: float) -> None:
        self._connect_timeout_s = connect_timeout_s
        self._read_timeout_s = read_timeout_s
        self._is_spent = False

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> _Response:
        if self._is_spent:
            raise _unreachable("the token endpoint asks for another try")
        self._is_spent = True
        try:
            found = self._sent(url, method, body, headers or {})
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise _unreachable(type(error).__name__) from None
        if not _makes_sense(found):
            raise _unreachable(f"the token endpoint answered {found.status} without sense")
        return found

    def _sent(
        self, url: str, method: str, body: bytes | None, headers: Mapping[str, str]
    ) -> _Response:
        until = time.monotonic() + self._connect_timeout_s + self._read_timeout_s
        with requests.Session() as session:
            session.trust_env = False
            response = session.request(
                method,
                url,
                data=body,
                headers={**headers, "Accept-Encoding": "identity"},
                timeout=(self._connect_timeout_s, self._read_timeout_s),
                allow_redirects=False,
                stream=True,
            )
            with contextlib.closing(response):
                data = bytearray()
                for chunk in response.iter_content(4096):
                    data += chunk
                    if len(data) > MAX_ANSWER_BYTES or time.monotonic() > until:
                        raise _unreachable("the token endpoint's answer has no end")
                return _Response(
                    status=response.status_code, data=bytes(data), headers=dict(response.headers)
                )


def _unreachable(words: str) -> TransportError:
    error: TransportError = TransportError(words)  # type: ignore[no-untyped-call]
    return error


def _makes_sense(found: _Response) -> bool:
    """Whether it is a token, or a refusal in words."""
    try:
        answer = json.loads(found.data)
    except (ValueError, RecursionError):
        return False
    if not isinstance(answer, dict):
        return False
    if found.status != 200:
        return 400 <= found.status < 500
    token, life_s = answer.get("access_token"), answer.get("expires_in")
    return (
        isinstance(token, str)
        and _TOKEN.fullmatch(token) is not None
        and isinstance(life_s, int)
        and 0 < life_s <= 86_400
    )


def _copy(error: ProviderError) -> ProviderError:
    """Of its own for every raise: a shared one would gather the tracebacks of all threads."""
    return ProviderError(error.error_class, error.message, code=error.code)

"""The stand-in for Vertex AI as a web server: its routes, and how its answers go wrong."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.providers.fakes.sending import JSON
from tests.providers.fakes.serving import Handler
from tests.providers.fakes.vertex_faults import BEFORE, Fault, Refused
from tests.providers.fakes.vertex_rules import (
    BUCKET,
    GRANT,
    MAX_REQUEST_BYTES,
    OBJECT_PATH,
    Reply,
    Request,
    check_path,
    check_start,
    distorted,
    envelope,
    is_signed_by_us,
    listing,
    object_reply,
)

if TYPE_CHECKING:
    from tests.providers.fakes.vertex import FakeVertex


class VertexHandler(Handler):
    stand_in: "FakeVertex"

    def _route(self, path: str, raw: bytes) -> None:
        match self.command:
            case "POST" if path == "/token":
                self._token(parse_qs(raw.decode("ascii", "replace")))
            case "POST":
                self._model_call(path, raw)
            case "GET":
                self._storage_call(path)
            case _:
                self._refuse(self._noted(None), Refused(404, "no such path"))

    # --- tokens ---

    def _token(self, form: dict[str, list[str]]) -> None:
        grant, assertion = (form.get(name, [""])[0] for name in ("grant_type", "assertion"))
        request = self._noted({"grant_type": grant})
        fault = self.stand_in.fault_for("", where="token")
        if fault is not None and self._went_wrong_before(fault, request):
            return
        is_ours = grant == GRANT and is_signed_by_us(assertion)
        if not is_ours or self.stand_in.refuses_account:
            error = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
            request.status = 400
            self._send_json(400, error)
            return
        token = {
            "access_token": self.stand_in.issue_token(),
            "expires_in": self.stand_in.token_life_s,
            "token_type": "Bearer",
        }
        self._reply((200, json.dumps(token).encode(), JSON), fault, request)

    # --- Vertex AI ---

    def _model_call(self, path: str, raw: bytes) -> None:
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        request = self._noted(body)
        try:
            self._check_bearer()
            if len(raw) > MAX_REQUEST_BYTES:
                raise Refused(400, "Request payload size exceeds the limit.")
            model_path, verb, model = check_path(path, retired=self.stand_in.retired_models)
            if verb == "predictLongRunning":
                act = self._start_of(request, model_path, model)
            else:
                act = self._poll_of(request, model_path)
        except Refused as refused:
            self._refuse(request, refused)
            return
        self._perform(request, act, where="create" if verb == "predictLongRunning" else "poll")

    def _start_of(
        self, request: Request, model_path: str, model: str
    ) -> Callable[[Fault | None], Reply]:
        refuses = self.stand_in.refuses_person_setting
        check_start(request.body, model=model, refuses_person_setting=refuses)
        body = request.body
        request.prompt = body["instances"][0]["prompt"]

        def start(fault: Fault | None) -> Reply:
            ending = fault if fault is not None and fault.is_ending else None
            operation = self.stand_in.make(body, model_path, ending)
            request.was_made = True
            return 200, json.dumps({"name": operation.name}).encode(), JSON

        return start

    def _poll_of(self, request: Request, model_path: str) -> Callable[[Fault | None], Reply]:
        body = request.body
        if not isinstance(body, dict) or set(body) != {"operationName"}:
            raise Refused(400, "Invalid JSON payload received. Unknown name or none.")
        name = body["operationName"]
        operation = self.stand_in.operation(name)
        if operation is None or not name.startswith(f"{model_path}/operations/"):
            raise Refused(404, "Operation not found.")
        request.prompt = operation.prompt
        return lambda _: (200, json.dumps(operation.shown()).encode(), JSON)

    # --- Cloud Storage ---

    def _storage_call(self, path: str) -> None:
        request = self._noted(None)
        query = parse_qs(urlsplit(self.path).query)
        found = OBJECT_PATH.fullmatch(path)
        try:
            self._check_bearer()
            if found is None or found[1] != BUCKET:
                raise Refused(404, "The specified bucket does not exist.")
        except Refused as refused:
            self._refuse(request, refused)
            return
        held = self.stand_in.objects()
        if found[2] is not None:
            operation = held.get(unquote(found[2]))
            request.prompt = operation.prompt if operation is not None else ""
            self._perform(request, lambda _: object_reply(operation, query), where="storage")
            return
        prefix = query.get("prefix", [""])[0]
        names = sorted(name for name in held if name.startswith(prefix))
        # By the clip it is about, so that a marker in its prompt works here as well.
        prefixes = ((one, one.storage_prefix) for one in self.stand_in.made)
        about = (one for one, uri in prefixes if uri == f"gs://{BUCKET}/{prefix}")
        request.prompt = next((one.prompt for one in about), "")

        self._perform(request, lambda fault: listing(names, prefix, fault), where="storage")

    # --- every call ---

    def _noted(self, body: Any) -> Request:
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=parts.query,
            body=body,
            headers=dict(self.headers.items()),
        )
        self.stand_in.requests.append(request)
        return request

    def _check_bearer(self) -> None:
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer" or not self.stand_in.is_valid(token):
            raise Refused(401, "Request had invalid authentication credentials.")

    def _perform(
        self, request: Request, act: Callable[[Fault | None], Reply], *, where: str
    ) -> None:
        fault = self.stand_in.fault_for(request.prompt, where=where)
        if fault is not None and self._went_wrong_before(fault, request):
            return
        self._reply(act(fault), fault, request)

    def _refuse(
        self, request: Request, refused: Refused, headers: dict[str, str] | None = None
    ) -> None:
        request.status = refused.status
        self._send_json(refused.status, envelope(refused), headers)

    def _went_wrong_before(self, fault: Fault, request: Request) -> bool:
        """Whether that was the answer."""
        if fault.kind not in BEFORE:
            return False
        if fault.kind == "hang_before":
            return self.stopping.wait(fault.seconds)
        if fault.kind == "drop_before":
            self._hang_up()
        elif fault.kind == "redirect":
            request.status = 307
            self._send(307, b"", "text/plain", {"Location": fault.location})
        elif fault.kind == "page":
            request.status = fault.status
            self._send(fault.status, b"<html>Something went wrong</html>", "text/html")
        else:
            self._refuse(request, fault.refusal, fault.headers)
        return True

    def _reply(self, reply: Reply, fault: Fault | None, request: Request) -> None:
        status, content, kind = reply
        name = fault.kind if fault is not None else ""
        if name == "drop_after":
            self._hang_up()
            return
        if name == "hang_after" and fault is not None:
            self.stopping.wait(fault.seconds)
        request.status = status
        if name == "cut_off":
            self._headers(status, kind, len(content))
            self.wfile.write(content[: len(content) // 2])
            self._hang_up()
        elif name == "huge":
            self._headers(status, kind, 3 * 1024**3)
            self._flood(b'{"name":"' + b" " * 65_536)
        else:
            self._send(status, *distorted(name, content, kind))

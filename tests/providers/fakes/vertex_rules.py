"""What Vertex AI accepts for Veo, and how its answers look."""

import base64
import binascii
import hashlib
import io
import json
import re
import secrets
import time
import uuid
from dataclasses import dataclass
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from PIL import Image

from tests.providers.fakes import clips
from tests.providers.fakes.sending import JSON
from tests.providers.fakes.vertex_faults import Fault, Refused

PROJECT, LOCATION, BUCKET = "project-for-tests", "us-central1", "clips-for-tests"
ACCOUNT = f"veo@{PROJECT}.iam.gserviceaccount.com"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
# What google-auth writes into every assertion, wherever it is sent.
AUDIENCE = "https://oauth2.googleapis.com/token"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"

_MODEL_PATH = re.compile(
    r"/v1/(projects/([^/]+)/locations/([^/]+)/publishers/google/models/([^/:]+)):(\w+)"
)
OBJECT_PATH = re.compile(r"/storage/v1/b/([^/]+)/o(?:/([^/]+))?")
_COLOURS = ((40, 80, 160), (160, 60, 40), (30, 130, 70))

Reply = tuple[int, bytes, str]

LITE = "veo-3.1-lite-generate-001"
MODELS = {"veo-3.1-generate-001", "veo-3.1-fast-generate-001", LITE}
SIZES = {
    ("16:9", "720p"): (1280, 720),
    ("9:16", "720p"): (720, 1280),
    ("16:9", "1080p"): (1920, 1080),
    ("9:16", "1080p"): (1080, 1920),
    ("16:9", "4k"): (3840, 2160),
    ("9:16", "4k"): (2160, 3840),
}
FIELDS = {
    "aspectRatio": str, "durationSeconds": (int, float), "resolution": str, "sampleCount": int,
    "personGeneration": str, "storageUri": str, "seed": int, "negativePrompt": str,
}  # fmt: skip
FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG"}
MAX_REQUEST_BYTES = 20 * 1024 * 1024


def envelope(refused: Refused) -> dict[str, Any]:
    error: dict[str, Any] = {
        "code": refused.status,
        "message": refused.message,
        "status": refused.code,
    }
    if refused.details is not None:
        error["details"] = refused.details
    return {"error": error}


def _unsupported(name: str) -> Refused:
    return Refused(400, f"`{name}` isn't supported by this model. Please remove it.")


def check_start(body: Any, *, model: str, refuses_person_setting: bool) -> None:
    """Fields, types and values as documented for Veo 3.1. Raises Refused."""
    if not isinstance(body, dict):
        raise Refused(400, "Invalid JSON payload received.")
    for name in body:
        if name not in ("instances", "parameters"):
            raise _unsupported(name)
    instances, parameters = body.get("instances"), body.get("parameters", {})
    if not isinstance(instances, list) or len(instances) != 1 or not isinstance(instances[0], dict):
        raise Refused(400, "Exactly one instance is required.")
    if not isinstance(parameters, dict):
        raise Refused(400, "The value type for `parameters` needs to be an object.")
    _check_instance(instances[0])
    _check_parameters(parameters, model)
    person = parameters.get("personGeneration")
    if person is not None and ("image" not in instances[0] or refuses_person_setting):
        raise Refused(400, f"{person} for personGeneration is currently not supported.")


def _check_instance(instance: dict[str, Any]) -> None:
    for name in instance:
        if name not in ("prompt", "image"):
            raise _unsupported(name)
    if not isinstance(instance.get("prompt"), str) or not instance["prompt"]:
        raise Refused(400, "`prompt` must be a text.")
    if "image" in instance:
        _check_image(instance["image"])


def _check_image(image: Any) -> None:
    if not isinstance(image, dict):
        raise Refused(400, "The value type for `image` needs to be an object.")
    for name in image:
        if name not in ("bytesBase64Encoded", "mimeType"):
            raise _unsupported(name)
    kind = FORMATS.get(image.get("mimeType", ""))
    if kind is None:
        raise Refused(400, "Unsupported image mime type.")
    try:
        content = base64.b64decode(image.get("bytesBase64Encoded") or "", validate=True)
        with Image.open(io.BytesIO(content), formats=[kind]) as picture:
            picture.load()
    except (binascii.Error, TypeError, OSError, ValueError):
        raise Refused(400, "Unable to process input image.") from None


def _check_parameters(parameters: dict[str, Any], model: str) -> None:
    for name, value in parameters.items():
        if name not in FIELDS:
            raise _unsupported(name)
        if isinstance(value, bool) or not isinstance(value, FIELDS[name]):  # type: ignore[arg-type]
            kind = "number" if FIELDS[name] is not str else "string"
            raise Refused(400, f"The value type for `{name}` needs to be a {kind}.")
    ratio, resolution = parameters.get("aspectRatio", "16:9"), parameters.get("resolution", "720p")
    duration_s = parameters.get("durationSeconds", 8)
    if (ratio, resolution) not in SIZES:
        raise Refused(400, f"Unsupported aspectRatio or resolution: {ratio}, {resolution}.")
    if duration_s not in (4, 6, 8):
        raise Refused(400, "Unsupported output video duration: supported are [4, 6, 8].")
    if resolution != "720p" and duration_s != 8:
        text = f"{resolution} is not supported for a duration of {duration_s} seconds."
        raise Refused(400, text)
    if model == LITE and (resolution == "4k" or "negativePrompt" in parameters):
        raise _unsupported("negativePrompt" if resolution != "4k" else "resolution")
    if not 1 <= parameters.get("sampleCount", 1) <= 4:
        raise Refused(400, "`sampleCount` must be between 1 and 4.")
    if parameters.get("personGeneration", "allow_adult") not in ("allow_adult", "dont_allow"):
        raise Refused(400, "This value for personGeneration is not allowed for your project.")
    if not re.fullmatch(r"gs://[a-z0-9._-]+(/.*)?", parameters.get("storageUri", "gs://b")):
        raise Refused(400, "`storageUri` must begin with gs://.")
    if not f"{parameters.get('storageUri', f'gs://{BUCKET}')}/".startswith(f"gs://{BUCKET}/"):
        raise Refused(403, "The service agent cannot write to the bucket in `storageUri`.")


def size_of(body: dict[str, Any]) -> tuple[int, int, int]:
    """Width and height in pixels, and length in seconds."""
    parameters = body.get("parameters", {})
    ratio, resolution = parameters.get("aspectRatio", "16:9"), parameters.get("resolution", "720p")
    return (*SIZES[ratio, resolution], int(parameters.get("durationSeconds", 8)))


@dataclass(slots=True, kw_only=True)
class Request:
    """One request as it came in; of a token's, only the kind of grant."""

    method: str
    path: str
    query: str
    body: Any
    headers: dict[str, str]
    prompt: str = ""
    status: int = 0  # what it was answered with; 0 when the answer was withheld
    was_made: bool = False  # an operation was begun, and would be billed


@dataclass(slots=True, kw_only=True)
class Operation:
    """One clip in the making. object_name: where in the bucket it ends up, empty for inline."""

    name: str
    body: dict[str, Any]
    storage_prefix: str
    done_at: float  # time.monotonic()
    ending: str = ""
    object_name: str = ""
    is_removed: bool = False
    message: str = ""

    @classmethod
    def begun(cls, body: dict[str, Any], model_path: str, ending: Fault | None) -> "Operation":
        """One that is done at once. Its clip goes into the bucket if the order names one."""
        uri = body.get("parameters", {}).get("storageUri", "")
        operation = cls(
            name=f"{model_path}/operations/{uuid.uuid4()}",
            body=body,
            storage_prefix=uri,
            done_at=time.monotonic(),
        )
        if ending is not None:
            operation.ending, operation.message = ending.kind, ending.message
        elif uri:
            folder = uri.removeprefix(f"gs://{BUCKET}").strip("/")
            # In a folder of its own, whose name nobody knows before.
            name = f"{folder}/{secrets.randbelow(10**12)}/sample_0.mp4"
            operation.object_name = name.lstrip("/")
        return operation

    @property
    def prompt(self) -> str:
        return str(self.body["instances"][0]["prompt"])

    @property
    def is_done(self) -> bool:
        return time.monotonic() >= self.done_at

    @property
    def clip(self) -> bytes:
        width, height, duration_s = size_of(self.body)
        colour = _COLOURS[hashlib.sha256(self.prompt.encode()).digest()[0] % len(_COLOURS)]
        return clips.mp4(width=width, height=height, duration_s=duration_s, colour=colour)

    def shown(self) -> dict[str, Any]:
        """As `fetchPredictOperation` answers."""
        if not self.is_done:
            return {"name": self.name}
        if self.ending.startswith("rpc_"):
            code = int(self.ending.removeprefix("rpc_"))
            error = {"code": code, "message": self.message}
            return {"name": self.name, "done": True, "error": error}
        kind = "type.googleapis.com/cloud.ai.large_models.vision.GenerateVideoResponse"
        response: dict[str, Any] = {"@type": kind}
        if self.ending.startswith("filtered"):
            response["raiMediaFilteredCount"] = 1
            if self.ending == "filtered":
                reason = "The video was blocked. Support codes: 15236754"
                response["raiMediaFilteredReasons"] = [reason]
        elif self.object_name:
            video = {"gcsUri": f"gs://{BUCKET}/{self.object_name}", "mimeType": "video/mp4"}
            response |= {"raiMediaFilteredCount": 0, "videos": [video]}
        elif self.ending == "hollow":
            response["videos"] = [{"mimeType": "video/mp4"}]
        elif self.ending != "no_clip":
            encoded = base64.b64encode(self.clip).decode()
            encoded = "*" + encoded[1:] if self.ending == "bad_base64" else encoded
            video = {"bytesBase64Encoded": encoded, "mimeType": "video/mp4"}
            response |= {"raiMediaFilteredCount": 0, "videos": [video]}
        return {"name": self.name, "done": True, "response": response}


def object_reply(operation: Operation | None, query: dict[str, list[str]]) -> Reply:
    if operation is None:
        return 404, f"No such object: {BUCKET}".encode(), "text/html; charset=UTF-8"
    if query.get("alt") == ["media"]:
        return 200, operation.clip, "video/mp4"
    return 200, json.dumps({"name": operation.object_name}).encode(), JSON


def listing(names: list[str], prefix: str, fault: Fault | None) -> Reply:
    """A list of objects; the fault `foreign` shows what nobody asked for."""
    if fault is not None and fault.kind == "foreign":
        names = ["elsewhere/sample_0.mp4", f"{prefix}notes.txt"]
    items = [{"kind": "storage#object", "name": name} for name in names]
    shown = {"kind": "storage#objects"} | ({"items": items} if items else {})
    return 200, json.dumps(shown).encode(), JSON


def distorted(name: str, content: bytes, kind: str) -> tuple[bytes, str]:
    """A body as the fault of that name leaves it."""
    odd: dict[str, tuple[bytes, str]] = {
        "garbage": (b"\x00\xff\x17not json at all{{{", JSON),
        "html": (b"<html><body>Bad gateway</body></html>", "text/html"),
        "empty": (b"", JSON),
        "truncated": (content[: len(content) // 2], kind),
        "not_an_object": (b"[1, 2]", JSON),
        "no_name": (b'{"done": false}', JSON),
        "bad_name": (b'{"name": "projects/p/../../operations/1"}', JSON),
    }
    return odd.get(name, (content, kind))


def check_path(path: str, *, retired: set[str]) -> tuple[str, str, str]:
    """The model's full name, the verb and the model's id. Raises Refused."""
    found = _MODEL_PATH.fullmatch(path)
    verbs = ("predictLongRunning", "fetchPredictOperation")
    if found is None or found[3] != LOCATION or found[5] not in verbs:
        raise Refused(404, "The requested URL was not found on this server.")
    if found[2] != PROJECT:
        raise Refused(403, "Permission 'aiplatform.endpoints.predict' denied on resource.")
    if found[4] not in MODELS or found[4] in retired:
        text = "was not found or your project does not have access to it."
        raise Refused(404, f"Publisher model `{found[1]}` {text}")
    return found[1], found[5], found[4]


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2048)


def account_file(*, token_uri: str) -> dict[str, str]:
    """The service account, as its key file shows it."""
    pem = _key().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "key-1",
        "private_key": pem.decode(),
        "client_email": ACCOUNT,
        "token_uri": token_uri,
    }


def is_signed_by_us(assertion: str) -> bool:
    """Whether it is a fresh JWT of our service account for the right scope."""
    try:
        claims = jwt.decode(assertion, _key().public_key(), ["RS256"], audience=AUDIENCE)
        life_s = claims["exp"] - claims["iat"]
        return (claims["iss"], claims["scope"], 0 < life_s <= 3600) == (ACCOUNT, SCOPE, True)
    except (jwt.InvalidTokenError, KeyError, TypeError):
        return False

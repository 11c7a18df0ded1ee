"""Every setting of the product, read from the environment (or `.env`), checked once at start.

A missing or malformed value stops the start with one sentence that names the variable. The list of
all variables with their meaning is `.env.example`.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

import environ
from botocore.config import Config
from csp.constants import NONE, SELF
from redis.backoff import NoBackoff
from redis.retry import Retry

from wevion.lib.logging import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
# The environment wins over the file; an empty ENV_FILE reads none.
ENV_FILE = env.str("ENV_FILE", default=str(BASE_DIR / ".env"))
if ENV_FILE and Path(ENV_FILE).is_file():
    environ.Env.read_env(ENV_FILE)


def _fail(sentence: str) -> SystemExit:
    # Not an exception with a traceback: whoever starts the process gets the sentence alone.
    return SystemExit(f"Not started: {sentence}")


def _bool(name: str, *, default: bool) -> bool:
    raw = env.str(name, default="1" if default else "0").strip().lower()
    if raw in {"1", "true", "yes", "on"}:
        return True
    if raw in {"0", "false", "no", "off", ""}:
        return False
    raise _fail(f"{name} must be 1 or 0, not {raw!r}.")


def _number(name: str, *, default: float, minimum: float, maximum: float) -> float:
    raw = env.str(name, default=str(default))
    try:
        value = float(raw)
    except ValueError:
        value = float("nan")
    if not minimum <= value <= maximum:
        raise _fail(f"{name} must be a number from {minimum:g} to {maximum:g}, not {raw!r}.")
    return value


def _whole(name: str, *, default: int, minimum: int, maximum: int) -> int:
    value = _number(name, default=default, minimum=minimum, maximum=maximum)
    if value != int(value):
        raise _fail(f"{name} must be a whole number, not {value:g}.")
    return int(value)


def _url(name: str, *, schemes: tuple[str, ...], default: str | None = None) -> str:
    raw: str = env.str(name, default=default or "").strip()
    kinds = " or ".join(schemes)
    if not raw:
        raise _fail(f"{name} is missing. It is a {kinds} address; see .env.example.")
    if urlsplit(raw).scheme not in schemes:
        raise _fail(f"{name} must be a {kinds} address.")
    if not urlsplit(raw).scheme == "unix" and not _has_host(raw):
        raise _fail(f"{name} must name a host, and a port only as a number up to 65535.")
    return raw


def _has_host(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # the port
        return False


def _one_of(name: str, *allowed: str) -> str:
    """One of a few words; the first is the default."""
    raw: str = env.str(name, default=allowed[0])
    if raw not in allowed:
        raise _fail(f"{name} must be {', '.join(allowed[:-1])} or {allowed[-1]}, not {raw!r}.")
    return raw


def _origins(name: str) -> list[str]:
    origins: list[str] = env.list(name, default=[])
    for origin in origins:
        parts = urlsplit(origin)
        is_bare = not (parts.path or parts.query or parts.fragment or parts.username)
        if parts.scheme not in {"http", "https"} or not _has_host(origin) or not is_bare:
            raise _fail(
                f"{name} must list exact origins such as https://cdn.example, not {origin!r}."
            )
    return origins


def _service_account(name: str) -> str:
    """The path of a Google service account's JSON file, or nothing."""
    path: str = env.str(name, default="")
    if not path:
        return ""
    try:
        account = json.loads(Path(path).read_text())
        is_whole = {"client_email", "private_key", "token_uri"} <= account.keys()
    except (OSError, ValueError, AttributeError):
        raise _fail(f"{name} must name a readable service-account JSON file.") from None
    if not is_whole:
        raise _fail(f"{name} names a JSON file that is not a service account's key.")
    return path


def _bucket(name: str) -> str:
    """gs://bucket or gs://bucket/prefix, without a slash at the end, or nothing."""
    uri: str = env.str(name, default="").rstrip("/")
    if uri and not re.fullmatch(r"gs://[a-z0-9][a-z0-9._-]{1,220}(/[\w.~-]+)*", uri, re.ASCII):
        raise _fail(f"{name} must be an address such as gs://bucket/prefix, not {uri!r}.")
    return uri


DEBUG = _bool("DEBUG", default=False)
IS_TESTING = "pytest" in sys.modules

# --- Identity and hosts ---------------------------------------------------------------------------
SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    raise _fail("SECRET_KEY is missing. Set it to a long random string and keep it secret.")
if not DEBUG and len(SECRET_KEY) < 50:
    raise _fail("SECRET_KEY must have at least 50 characters.")

SITE_URL = _url("SITE_URL", schemes=("http", "https"), default="http://127.0.0.1:8000").rstrip("/")
if urlsplit(SITE_URL).path:
    raise _fail("SITE_URL must be an address without a path.")
SITE_HOST = urlsplit(SITE_URL).hostname or ""
ALLOWED_HOSTS = [host.strip() for host in env.list("ALLOWED_HOSTS", default=[SITE_HOST])]
CSRF_TRUSTED_ORIGINS = _origins("CSRF_TRUSTED_ORIGINS") or [SITE_URL]

# Behind TLS every cookie is secure and http is sent to https. A stack on plain http (development,
# a private test machine) says so by an http SITE_URL.
IS_HTTPS = SITE_URL.startswith("https://")
SECURE_SSL_REDIRECT = IS_HTTPS
SESSION_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_SECURE = IS_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_HTTPS
SECURE_HSTS_PRELOAD = IS_HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
# Only set where a proxy in front always overwrites this header.
if _bool("TRUST_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# How many proxies stand in front; the login throttle counts by the client's address behind them.
TRUSTED_PROXY_COUNT = _whole("TRUSTED_PROXY_COUNT", default=0, minimum=0, maximum=5)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT

# --- Applications ---------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_structlog",
    "allauth",
    "allauth.account",
    "workspaces",
    "credits",
    "assets",
    "creative_hub",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "wevion.lib.refusals.RefusalsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "creative_hub.views.unchanged.UnchangedPollMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "wevion.lib.request_log.RequestMiddleware",
    "workspaces.middleware.ActiveWorkspaceMiddleware",
]
ROOT_URLCONF = "wevion.urls"
WSGI_APPLICATION = "wevion.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "wevion.shell.shell",
            ],
        },
    }
]

# --- PostgreSQL, Redis ----------------------------------------------------------------------------
DATABASE_URL = _url("DATABASE_URL", schemes=("postgres", "postgresql"))
DATABASES = {"default": environ.Env.db_url_config(DATABASE_URL)}
DATABASES["default"].update(
    CONN_MAX_AGE=60,
    CONN_HEALTH_CHECKS=True,
    OPTIONS={
        **DATABASES["default"].get("OPTIONS", {}),
        # A stuck statement or a forgotten transaction gives up by itself (milliseconds).
        "options": "-c lock_timeout=10000 -c statement_timeout=30000"
        " -c idle_in_transaction_session_timeout=60000",
    },
)
REDIS_URL = _url("REDIS_URL", schemes=("redis", "rediss", "unix"))
CACHES = {
    "default": {
        "BACKEND": "wevion.lib.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        # A cache that hangs is worse than none: two seconds, then the database answers.
        "OPTIONS": {
            "socket_timeout": 2,
            "socket_connect_timeout": 2,
            "retry": Retry(NoBackoff(), retries=0),
        },
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = False

# --- People ---------------------------------------------------------------------------------------
AUTH_USER_MODEL = "workspaces.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
if IS_TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "creative_hub:home"
ACCOUNT_ADAPTER = "workspaces.accounts.ClosedSignupAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
try:
    vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
except (environ.ImproperlyConfigured, KeyError, ValueError):
    raise _fail("EMAIL_URL must be an address such as smtp+tls://user:password@host:587.") from None
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Wevion <no-reply@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- Files ----------------------------------------------------------------------------------------
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / ".data"))).resolve()
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
# The tests serve static files as they lie there, without collecting them first.
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = IS_TESTING
S3_BUCKET = env.str("S3_BUCKET", default="")
# Bodies larger than Django's own limit are taken here alone, in bytes: a start frame may have
# 10 MB, and what surrounds it in a form is small.
UPLOAD_MAX_BYTES = {
    "/creative-hub/video-studio/start-frame/": 11 * 2**20,
    "/creative-hub/video-studio/generate/": 11 * 2**20,
}
# How long a presigned link to a private file lives.
MEDIA_LINK_S = 300
if S3_BUCKET:
    S3_ENDPOINT_URL = env.str("S3_ENDPOINT_URL", default="") or None
    # The origin browsers load media from: what the Content-Security-Policy must allow.
    MEDIA_ORIGIN = env.str("S3_PUBLIC_ORIGIN", default="") or (
        "{0.scheme}://{0.netloc}".format(urlsplit(S3_ENDPOINT_URL))
        if S3_ENDPOINT_URL
        else f"https://{S3_BUCKET}.s3.amazonaws.com"
    )
    MEDIA_STORAGE = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": S3_ENDPOINT_URL,
            "region_name": env.str("S3_REGION", default="us-east-1"),
            "access_key": env.str("S3_ACCESS_KEY", default="") or None,
            "secret_key": env.str("S3_SECRET_KEY", default="") or None,
            "querystring_auth": True,
            "querystring_expire": MEDIA_LINK_S,
            "default_acl": None,
            "file_overwrite": True,
            "client_config": Config(
                s3={"addressing_style": _one_of("S3_ADDRESSING_STYLE", "auto", "path", "virtual")},
                signature_version="s3v4",
                # Many S3-compatible stores refuse the checksum trailers boto3 adds by itself.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                connect_timeout=5,
                read_timeout=60,
            ),
        },
    }
else:
    MEDIA_ORIGIN = ""
    MEDIA_STORAGE = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": str(Path(env.str("MEDIA_ROOT", default=str(DATA_DIR / "media"))).resolve())
        },
    }
STORAGES = {
    "default": MEDIA_STORAGE,
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if IS_TESTING
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- What a page may load -------------------------------------------------------------------------
_media_sources = [SELF, "blob:", *([MEDIA_ORIGIN] if MEDIA_ORIGIN else [])]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "img-src": _media_sources,
        "media-src": _media_sources,
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

# --- Language and time ----------------------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

# --- Celery: named doorbells; the rows hold the truth ---------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_DEFAULT_QUEUE = "engine"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
# Nobody steers workers by broadcast, and two on one host would need names of their own.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,
    "unacked_restore_throttle": 1,
    "socket_timeout": 2,
    "socket_connect_timeout": 2,
}
# A ring that is lost is rung again by the next tick: no retry, no waiting.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BEAT_SCHEDULE = {
    # Ticks expire after one second, so that none pile up while the workers are busy or away.
    "tick": {"task": "creative_hub.tick", "schedule": 1.0, "options": {"expires": 1.0}},
}
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")

# --- Providers ------------------------------------------------------------------------------------
# How many jobs may be sent, and how many results stored, at the same time by all workers together.
# Fewer than the workers' threads (24 each): a slow provider must leave some for everything else.
SUBMIT_SLOTS = _whole("SUBMIT_SLOTS", default=16, minimum=1, maximum=1000)
# A provider that has gone silent leaves the others this half of them.
SUBMIT_SLOTS_PER_LANE = max(1, SUBMIT_SLOTS // 2)
FETCH_SLOTS = _whole("FETCH_SLOTS", default=4, minimum=1, maximum=1000)
SANDBOX = _bool("SANDBOX", default=False)
SANDBOX_DELAY_S = _number("SANDBOX_DELAY_S", default=0, minimum=0, maximum=600)
ARK_API_BASE = _url(
    "ARK_API_BASE",
    schemes=("http", "https"),
    default="https://ark.ap-southeast.bytepluses.com/api/v3",
).rstrip("/")
ARK_API_KEY = env.str("ARK_API_KEY", default="")
SEEDREAM_MODEL = env.str("SEEDREAM_MODEL", default="seedream-4-0-250828")
SEEDANCE_MODEL = env.str("SEEDANCE_MODEL", default="seedance-1-0-pro-250528")
SEEDANCE_RESOLUTION = _one_of("SEEDANCE_RESOLUTION", "1080p", "720p")
KLING_API_BASE = _url(
    "KLING_API_BASE", schemes=("http", "https"), default="https://api-singapore.klingai.com"
).rstrip("/")
KLING_ACCESS_KEY = env.str("KLING_ACCESS_KEY", default="")
KLING_SECRET_KEY = env.str("KLING_SECRET_KEY", default="")
if bool(KLING_ACCESS_KEY) != bool(KLING_SECRET_KEY):
    raise _fail("KLING_ACCESS_KEY and KLING_SECRET_KEY belong together: set both or neither.")
KLING_MODEL = env.str("KLING_MODEL", default="kling-v2-6")
KLING_MODE = _one_of("KLING_MODE", "pro", "std")
VEO_LOCATION = env.str("VEO_LOCATION", default="us-central1")
VEO_API_BASE = _url(
    "VEO_API_BASE",
    schemes=("http", "https"),
    default=f"https://{VEO_LOCATION}-aiplatform.googleapis.com",
).rstrip("/")
VEO_PROJECT = env.str("VEO_PROJECT", default="")
VEO_MODEL = env.str("VEO_MODEL", default="veo-3.1-generate-001")
VEO_CREDENTIALS = _service_account("VEO_CREDENTIALS")
if bool(VEO_PROJECT) != bool(VEO_CREDENTIALS):
    raise _fail("VEO_PROJECT and VEO_CREDENTIALS belong together: set both or neither.")
VEO_STORAGE_URI = _bucket("VEO_STORAGE_URI")
VEO_STORAGE_API_BASE = _url(
    "VEO_STORAGE_API_BASE", schemes=("http", "https"), default="https://storage.googleapis.com"
).rstrip("/")
# Origins that results may be fetched from although they are not public, and that people may name
# for start frames. Two lists: whoever may name an address must not reach what a provider may.
FETCH_ALLOWED_ORIGINS = _origins("FETCH_ALLOWED_ORIGINS")
FRAME_ALLOWED_ORIGINS = _origins("FRAME_ALLOWED_ORIGINS")

# --- Logs -----------------------------------------------------------------------------------------
LOG_LEVEL = _one_of("LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR")
LOGGING = logging_config(level=LOG_LEVEL, is_json=not DEBUG)
LOGGING_CONFIG = "logging.config.dictConfig"
DJANGO_STRUCTLOG_CELERY_ENABLED = False
# Behind how many proxies a header may be believed is not known to it.
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False

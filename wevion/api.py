"""The JSON API: by session, with CSRF; refusals are JSON like everything else."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import django_auth

from creative_hub import api as creative_hub

api = NinjaAPI(
    title="Wevion Creative Hub",
    version="1",
    auth=django_auth,
    docs_url=None,
    openapi_url="openapi.json",
)
api.add_router("/creative-hub", creative_hub.router)


@api.exception_handler(AuthenticationError)
def not_signed_in(request: HttpRequest, _: AuthenticationError) -> HttpResponse:
    return JsonResponse({"error": "Sign in first."}, status=401)


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return creative_hub.json_problem(request, creative_hub.type_errors(request, error.errors))


@api.exception_handler(HttpError)
def refused(request: HttpRequest, error: HttpError) -> HttpResponse:
    """What the framework refuses by itself, e.g. a body that is not JSON."""
    if error.status_code == 400:
        problem = creative_hub.invalid({"body": ["This is not JSON."]})
        return creative_hub.json_problem(request, problem)
    return JsonResponse({"error": str(error)}, status=error.status_code)


@api.exception_handler(creative_hub.Problem)
def problem(request: HttpRequest, error: creative_hub.Problem) -> HttpResponse:
    return creative_hub.json_problem(request, error)

"""The product's addresses, and the view that everything is compared with."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import path

from wevion.urls import urlpatterns as product


@login_required
def bare(request: HttpRequest) -> HttpResponse:
    """The least that a signed-in person can be answered by the same stack."""
    return HttpResponse()


urlpatterns = [path("bench/bare", bare), *product]

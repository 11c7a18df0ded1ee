from django.urls import path

from workspaces import views

app_name = "workspaces"

urlpatterns = [
    path("switch/", views.switch, name="switch"),
    path("theme/", views.theme, name="theme"),
]

"""The URLs that the documentation of SimpleJWT and djoser recommends, and one protected view."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from rest_framework.decorators import api_view, permission_classes
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework_simplejwt.views import (
    TokenBlacklistView,
    TokenObtainPairView,
    TokenRefreshView,
    TokenVerifyView,
)


@api_view(["GET"])
@permission_classes([IsAuthenticated])
def me(request):
    """Says who the token belongs to, and what it claims."""
    user = request.user
    return Response({"id": str(user.pk), "username": user.get_username(), "claims": request.auth.payload})


urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/token/", TokenObtainPairView.as_view()),
    path("api/token/refresh/", TokenRefreshView.as_view()),
    path("api/token/verify/", TokenVerifyView.as_view()),
    path("api/me/", me),
    path("auth/", include("djoser.urls")),
    path("auth/", include("djoser.urls.jwt")),
]
if settings.OPTIONS["blacklist"]:
    urlpatterns.append(path("api/token/blacklist/", TokenBlacklistView.as_view()))

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


REFRESH_COOKIE = "refresh"


class InCookie:
    """Hands the refresh token out in a cookie, as projects do by hand or by dj-rest-auth."""

    def finalize_response(self, request, response, *args, **kwargs):
        if refresh := response.data.pop("refresh", None):
            response.set_cookie(REFRESH_COOKIE, refresh, httponly=True, samesite="Lax", path="/api/v1/auth/jwt")
        return super().finalize_response(request, response, *args, **kwargs)


class CookieObtain(InCookie, TokenObtainPairView):
    pass


class CookieRefresh(InCookie, TokenRefreshView):
    def post(self, request, *args, **kwargs):
        serializer = self.get_serializer(data={"refresh": request.COOKIES.get(REFRESH_COOKIE, "")})
        serializer.is_valid(raise_exception=True)
        return Response(serializer.validated_data)


urlpatterns = [
    path("api/v1/auth/jwt/create/", CookieObtain.as_view()),
    path("api/v1/auth/jwt/refresh/", CookieRefresh.as_view()),
    path("api/v1/auth/", include("djoser.urls")),
    path("admin/", admin.site.urls),
    path("api/token/", TokenObtainPairView.as_view()),
    path("api/token/refresh/", TokenRefreshView.as_view()),
    path("api/token/verify/", TokenVerifyView.as_view()),
    path("api/me/", me),
    path("auth/", include("djoser.urls")),
    path("auth/", include("djoser.urls.jwt")),
]
if settings.OPTIONS["programs"]:
    from rest_framework.authentication import TokenAuthentication
    from rest_framework.authtoken.views import obtain_auth_token
    from rest_framework.decorators import authentication_classes
    from rest_framework_api_key.permissions import HasAPIKey

    @api_view(["GET"])
    @authentication_classes([TokenAuthentication])
    @permission_classes([IsAuthenticated])
    def by_token(request):
        return Response({"username": request.user.get_username()})

    @api_view(["GET"])
    @authentication_classes([])
    @permission_classes([HasAPIKey])
    def by_key(request):
        return Response({})

    urlpatterns += [
        path("api-token-auth/", obtain_auth_token),
        path("by-token/", by_token),
        path("by-key/", by_key),
    ]
if settings.OPTIONS["blacklist"]:
    urlpatterns.append(path("api/token/blacklist/", TokenBlacklistView.as_view()))

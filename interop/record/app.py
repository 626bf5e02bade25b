"""The recorded project: the addresses that the packages' documentation gives, and four views with usual permissions."""

from django.urls import include, path, re_path
from rest_framework.authtoken.views import obtain_auth_token
from rest_framework.permissions import AllowAny, IsAdminUser, IsAuthenticated, IsAuthenticatedOrReadOnly
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt import views
from rest_framework_simplejwt.serializers import TokenObtainPairSerializer


class Me(APIView):
    permission_classes = [IsAuthenticated]

    def get(self, request):
        user = request.user
        return Response({
            "id": user.id,
            "username": user.username,
            "email": getattr(user, "email", None),
            "user_class": type(user).__name__,
            "auth_class": type(request.auth).__name__,
        })


class Open(APIView):
    permission_classes = [AllowAny]

    def get(self, request):
        return Response({"user": str(request.user), "authenticated": bool(request.user.is_authenticated)})


class Staff(APIView):
    permission_classes = [IsAdminUser]

    def get(self, request):
        return Response({"ok": True})


class ReadOnly(APIView):
    permission_classes = [IsAuthenticatedOrReadOnly]

    def get(self, request):
        return Response({"ok": True})

    def post(self, request):
        return Response({"got": request.data})


class ClaimsPairSerializer(TokenObtainPairSerializer):
    """Facts about the user in the tokens and in the answer, as SimpleJWT's documentation shows it."""

    @classmethod
    def get_token(cls, user):
        token = super().get_token(user)
        token["username"] = user.username
        token["email"] = user.email
        token["is_staff"] = user.is_staff
        token["groups"] = [group.name for group in user.groups.order_by("name")]
        return token

    def validate(self, attrs):
        data = super().validate(attrs)
        data["user"] = {"id": self.user.id, "username": self.user.username, "email": self.user.email}
        return data


urlpatterns = [
    path("api/token/", views.TokenObtainPairView.as_view()),
    path("api/token/refresh/", views.TokenRefreshView.as_view()),
    path("api/token/verify/", views.TokenVerifyView.as_view()),
    path("api/token/blacklist/", views.TokenBlacklistView.as_view()),
    path("api/token/sliding/", views.TokenObtainSlidingView.as_view()),
    path("api/token/sliding/refresh/", views.TokenRefreshSlidingView.as_view()),
    path("api-token-auth/", obtain_auth_token),
    path("api/me/", Me.as_view()),
    path("api/open/", Open.as_view()),
    path("api/staff/", Staff.as_view()),
    path("api/readonly/", ReadOnly.as_view()),
    re_path("^auth/", include("djoser.urls")),
    re_path("^auth/", include("djoser.urls.jwt")),
    re_path("^auth/", include("djoser.urls.authtoken")),
]

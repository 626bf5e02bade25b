"""The project's addresses, and one whose user is made of the token alone."""

from django.urls import path
from project.urls import urlpatterns as everything
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication


@api_view(["GET"])
@authentication_classes([JWTStatelessUserAuthentication])
@permission_classes([IsAuthenticated])
def check(request):
    """Lets whoever has a good token through."""
    return Response({"id": request.user.id})


urlpatterns = [path("auth/check", check), *everything]

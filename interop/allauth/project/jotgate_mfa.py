import base64
import os
import time

from allauth.mfa import app_settings
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class JotgateMFAAdapter(DefaultMFAAdapter):
    """Reads TOTP secrets that jotgate has sealed, and refuses codes that were used at jotgate."""

    def decrypt(self, encrypted_text):
        row = Authenticator.objects.filter(type="totp", data__secret=encrypted_text).first()
        if row is None:  # the seed of recovery codes
            return encrypted_text
        used = row.data.get("jotgate", {}).get("step", 0)
        oldest = int(time.time()) // app_settings.TOTP_PERIOD - getattr(app_settings, "TOTP_TOLERANCE", 0)
        if used >= oldest:
            return base64.b32encode(os.urandom(20)).decode()  # a secret that no code fits
        if encrypted_text.startswith("jg1:"):
            return self._open(encrypted_text[4:], "user %s" % row.user_id)
        return encrypted_text

    def _open(self, text, owner):
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        for secret in [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]:
            key = HKDF(hashes.SHA256(), 32, None, b"jotgate totp").derive(secret.encode())
            try:
                return AESGCM(key).decrypt(sealed[:12], sealed[12:], owner.encode()).decode()
            except InvalidTag:
                continue
        raise ValueError("the TOTP secret was sealed with another SECRET_KEY")

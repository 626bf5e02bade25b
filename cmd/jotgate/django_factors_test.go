package main

import (
	"strings"
	"testing"
)

// The apps of second factors that Django has and jotgate does not ask for.
func TestDoctorWarnsOfSecondFactors(t *testing.T) {
	for app, want := range map[string]bool{
		"allauth.mfa": false, "allauth.mfa.apps.MFAConfig": false, "dj_rest_auth.mfa": true, "allauth.mfas": false, "django_otp": true, "django_otp.plugins.otp_totp": true,
		"two_factor": true, "trench": true, "mfa": true, "django_mfa2": true, "allauth_2fa": true, "wagtail_2fa": true,
		"allauth.account": false, "rest_framework_simplejwt": false, "shop.photos": false, "camfa": false,
	} {
		_, found := dump{"INSTALLED_APPS": []any{"django.contrib.auth", app}}.read()
		warned := false
		for _, f := range found {
			warned = warned || f.Found == app && strings.HasPrefix(f.Fix, "these second factors exist only on Django's side")
		}
		if warned != want {
			t.Errorf("%s: warned %v, want %v: %v", app, warned, want, found)
		}
	}
}

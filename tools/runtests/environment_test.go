package main

import (
	"slices"
	"testing"
)

func TestEnvironment(t *testing.T) {
	got := environment([]string{
		"PATH=/bin", "HTTP_PROXY=http://proxy.example:3128", "no_proxy=internal.example", "GOFLAGS=-mod=mod", "ENVIRONMENT=kept",
		"DATABASE_URL=postgres://db/live", "GIT_DIR=.git", "PGSERVICE=live", "DJANGO_SETTINGS_MODULE=site.settings", "NODE_ENV=production", "ENV=x", "LC_ALL=tr_TR.UTF-8",
	})
	const exceptions = "127.0.0.1,localhost,::1,internal.example"
	want := []string{"PATH=/bin", "HTTP_PROXY=http://proxy.example:3128", "GOFLAGS=-mod=mod", "ENVIRONMENT=kept", "no_proxy=" + exceptions, "NO_PROXY=" + exceptions}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

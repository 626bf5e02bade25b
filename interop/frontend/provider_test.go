package frontend

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/interop/providers/linking"
	"github.com/jotgate/jotgate/interop/serve"
)

// signedInAt is what each step of provider.mjs gets: a status, and the username or the error.
var signedInAt = map[string]any{
	"after":         "200 vera",
	"before":        "401 Authentication credentials were not provided.",
	"code":          "200 vera",
	"cookie":        "",
	"factor":        10.0,
	"me":            "200 vera",
	"otherRedirect": "403 provider_invalid",
	"otherVerifier": "403 provider_invalid",
	"pending":       "401 mfa_required",
	"reload":        "200",
	"rightVerifier": "200 vera",
	"signedIn":      "200 vera",
	"suggested":     "vera",
	"twice":         "403 provider_expired",
	"unknown":       "404 Not found.",
	"unlisted":      "400 This address is not one of an application of this site.",
}

// A single-page application on another origin, written from docs/providers.md, in Chromium: its users sign up and sign in
// with a certified provider, also with a second factor here.
func TestWalkWithAProvider(t *testing.T) {
	local := func(address string) string { return strings.Replace("http://"+address, "127.0.0.1", "localhost", 1) }
	address, origin := freeport.Address(t), local(freeport.Address(t))
	issuer, issuerURL := linking.Issuer(t, local(address))
	file := filepath.Join(t.TempDir(), "jotgate.yaml")
	config := "providers:\n  certified:\n    issuer: " + issuerURL + "\n    client_id: jotgate\n    client_secret: '" + linking.Secret + "'\n    trust_email: true\n"
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	server := serve.Start(t, serve.Options{Address: address, Args: []string{
		"--config", file, "--cors-origins", origin, "--app-redirects", origin, "--refresh-cookie", "--base-url", local(address),
		"--access-token-lifetime", "24h", "--totp-grace", "30s",
	}})
	if said := issuer.Ask(t, "verified"); said != "ok" {
		t.Fatal(said)
	}
	var got map[string]any
	node(t, &got, server.Output, "provider.mjs", local(address), origin)
	if diff := cmp.Diff(signedInAt, got); diff != "" {
		t.Errorf("(-want +got)\n%s\n%s", diff, server.Output())
	}
}

// Package oauth gets access tokens from the binary as programs do: with golang.org/x/oauth2, npm's openid-client and
// Python's requests-oauthlib, which find the endpoints by themselves where they can.
package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/interop/client"
	"github.com/jotgate/jotgate/interop/peer"
	"github.com/jotgate/jotgate/interop/serve"
	"github.com/jotgate/jotgate/jwt"
)

func TestMain(m *testing.M) { os.Exit(serve.Main(m)) }

// credentials are those of a client.
type credentials struct {
	ID     string   `json:"client_id"`
	Secret string   `json:"client_secret"`
	Key    *jwt.Key `json:"-"` // in place of a secret
}

func start(t testing.TB, args ...string) *serve.Server {
	return serve.Start(t, serve.Options{Args: append([]string{"--base-url={URL}"}, args...)})
}

// create creates a client with the command.
func create(t testing.TB, s *serve.Server, name, scopes string, args ...string) (c credentials) {
	t.Helper()
	out, err := serve.Command(t, s.Folder, nil, append([]string{"client", "create", name, "--scope", scopes, "--json"}, args...)...).Output()
	if err == nil {
		err = json.Unmarshal(out, &c)
	}
	if err != nil {
		t.Fatalf("client create: %v\n%s", err, out)
	}
	return c
}

// createWithKey creates a client that signs assertions.
func createWithKey(t testing.TB, s *serve.Server, name, scopes string) credentials {
	t.Helper()
	key, err := jwt.ES256.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	set, err := key.KeySet().MarshalJSON()
	file := filepath.Join(t.TempDir(), "keys.json")
	if err == nil {
		err = os.WriteFile(file, set, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	c := create(t, s, name, scopes, "--keys", file)
	c.Key = key
	return c
}

// TestGo uses golang.org/x/oauth2 with each way to authenticate.
func TestGo(t *testing.T) {
	s := start(t)
	c, signer := create(t, s, "billing", "orders:read,account"), createWithKey(t, s, "reports", "account")
	config := func(style oauth2.AuthStyle) *clientcredentials.Config {
		return &clientcredentials.Config{ClientID: c.ID, ClientSecret: c.Secret, TokenURL: s.URL + "/o/token/", Scopes: []string{"account"}, AuthStyle: style}
	}
	now := time.Now().Unix()
	assertion, err := jwt.Sign(signer.Key, map[string]any{"iss": signer.ID, "sub": signer.ID, "aud": s.URL + "/o/token/", "exp": now + 240, "iat": now, "jti": strconv.FormatInt(now, 36)})
	if err != nil {
		t.Fatal(err)
	}
	signed := &clientcredentials.Config{ClientID: signer.ID, TokenURL: s.URL + "/o/token/", AuthStyle: oauth2.AuthStyleInParams, EndpointParams: url.Values{
		"client_assertion": {assertion}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	}}
	for name, config := range map[string]*clientcredentials.Config{
		"billing": config(oauth2.AuthStyleInHeader), "billing ": config(oauth2.AuthStyleInParams), "billing  ": config(oauth2.AuthStyleAutoDetect), "reports": signed,
	} {
		token, err := config.Token(t.Context())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !token.Valid() || token.Type() != "Bearer" || token.Extra("scope") != "account" {
			t.Errorf("%s: %+v", name, token)
		}
		response, err := oauth2.NewClient(context.Background(), oauth2.StaticTokenSource(token)).Get(s.URL + "/auth/users/me/")
		if err != nil {
			t.Fatal(err)
		}
		var me struct{ Username string }
		if err := json.NewDecoder(response.Body).Decode(&me); err != nil || response.StatusCode != http.StatusOK || me.Username != strings.TrimSpace(name) {
			t.Errorf("%s: %d %+v, %v", name, response.StatusCode, me, err)
		}
		_ = response.Body.Close()
	}
	refused := func(name string, config *clientcredentials.Config, want string) {
		t.Helper()
		var e *oauth2.RetrieveError
		if _, err := config.Token(t.Context()); !errors.As(err, &e) || e.ErrorCode != want || e.ErrorDescription == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	refused("the assertion again", signed, "invalid_client")
	wrong := config(oauth2.AuthStyleInHeader)
	wrong.ClientSecret += "x"
	refused("another secret", wrong, "invalid_client")
	wrong = config(oauth2.AuthStyleInHeader)
	wrong.Scopes = []string{"orders:write"}
	refused("another scope", wrong, "invalid_scope")
}

// TestNode uses openid-client, which reads the metadata.
func TestNode(t *testing.T) {
	s, judge := start(t), peer.Start(t, exec.Command("node", "judge.mjs"))
	c, signer := create(t, s, "billing", "orders:read,account"), createWithKey(t, s, "reports", "orders:read")
	private, err := signer.Key.MarshalPrivateJWK()
	if err != nil {
		t.Fatal(err)
	}
	other, err := jwt.ES256.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := other.MarshalPrivateJWK()
	if err != nil {
		t.Fatal(err)
	}
	for _, each := range []struct {
		method, id, secret string
		key                json.RawMessage
		scope, want        string // want: a part of the error
	}{
		{"client_secret_basic", c.ID, c.Secret, nil, "orders:read", ""},
		{"client_secret_post", c.ID, c.Secret, nil, "orders:read", ""},
		{"private_key_jwt", signer.ID, "", private, "orders:read", ""},
		{"client_secret_basic", c.ID, c.Secret + "x", nil, "orders:read", " 401 "},
		{"client_secret_post", c.ID, c.Secret + "x", nil, "orders:read", " 401 "},
		{"private_key_jwt", signer.ID, "", wrong, "orders:read", " 401 "},
		{"client_secret_basic", c.ID, c.Secret, nil, "orders:write", "invalid_scope"},
	} {
		var out struct {
			Scope         string
			Before, After map[string]any
			Metadata      map[string]any
		}
		args := map[string]any{"issuer": s.URL, "method": each.method, "id": each.id, "secret": each.secret, "scope": each.scope}
		if each.key != nil {
			args["key"] = each.key
		}
		failure := judge.Call(t, "exercise", args, &out)
		switch {
		case each.want != "":
			if !strings.Contains(failure, each.want) {
				t.Errorf("%s, refused: %q", each.method, failure)
			}
		case failure != "" || out.Scope != each.scope || out.Before["active"] != true || out.Before["client_id"] != each.id || out.After["active"] != false:
			t.Errorf("%s: %s %+v", each.method, failure, out)
		case out.Metadata["issuer"] != s.URL || out.Metadata["token_endpoint"] != s.URL+"/o/token/":
			t.Errorf("%v", out.Metadata)
		}
	}
}

// TestPython uses requests-oauthlib.
func TestPython(t *testing.T) {
	s, judge := start(t), peer.Start(t, exec.Command(peer.Python(), "judge.py"))
	c := create(t, s, "billing", "orders:read,account")
	for _, each := range []struct{ method, secret, scope, want string }{
		{"client_secret_basic", c.Secret, "account", ""},
		{"client_secret_post", c.Secret, "account", ""},
		{"client_secret_post", c.Secret + "x", "account", "invalid_client"},
		{"client_secret_basic", c.Secret, "orders:write", "invalid_scope"},
	} {
		var out struct {
			Scope    any
			Status   int
			Username string
		}
		failure := judge.Call(t, "exercise", map[string]any{"url": s.URL, "id": c.ID, "method": each.method, "secret": each.secret, "scope": each.scope}, &out)
		if each.want == "" && (failure != "" || out.Status != 200 || out.Username != "billing") || !strings.Contains(failure, each.want) {
			t.Errorf("%+v: %s %+v", each, failure, out)
		}
	}
}

// A client that is disabled by command is refused, and so is its token.
func TestDisable(t *testing.T) {
	s := start(t)
	c := create(t, s, "billing", "account")
	token := client.Post(t, s.URL+"/o/token/", "grant_type", "client_credentials", "client_id", c.ID, "client_secret", c.Secret).Text("access_token")
	if got := client.Get(t, s.URL+"/auth/users/me/", "Bearer "+token); got.Status != 200 {
		t.Fatalf("%+v", got)
	}
	if out, err := serve.Command(t, s.Folder, nil, "client", "disable", "billing").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	wait.Until(t, "the token is refused", func() bool { return client.Get(t, s.URL+"/auth/users/me/", "Bearer "+token).Status == 401 })
	if got := client.Post(t, s.URL+"/o/token/", "grant_type", "client_credentials", "client_id", c.ID, "client_secret", c.Secret); got.Text("error") != "invalid_client" {
		t.Errorf("%+v", got)
	}
}

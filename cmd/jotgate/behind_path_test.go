package main

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/wait"
)

// Behind a gateway that removes the path, --base-url alone is enough: what the
// e-mails and the pages link to is there, reached through the gateway.
func TestBehindAGatewayThatRemovesThePath(t *testing.T) {
	var own *url.URL
	gateway := httptest.NewServer(http.StripPrefix("/accounts", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		httputil.NewSingleHostReverseProxy(own).ServeHTTP(w, r)
	})))
	defer gateway.Close()
	public := gateway.URL + "/accounts"
	s := startServer(t, t.TempDir(), []string{"SECRET_KEY=" + goodSecret}, "--base-url", public, "--print-emails", "--send-activation-email")
	var err error
	if own, err = url.Parse(s.base); err != nil {
		t.Fatal(err)
	}
	ask(t, http.DefaultClient, "POST", public+"/auth/users/", `{"username":"alice","email":"alice@example.com","password":"correct-horse-1"}`, "Content-Type", "application/json")
	link := regexp.MustCompile(regexp.QuoteMeta(public) + `/account/activate\?uid=\S+`)
	wait.Until(t, "the e-mail", func() bool { return link.MatchString(s.stderr.String()) })
	pages := []string{link.FindString(s.stderr.String()), public + "/account/", public + "/account/login", public + "/account/signup"}
	for _, address := range pages {
		status, page := ask(t, http.DefaultClient, "GET", address, "") // follows redirects
		links := regexp.MustCompile(`(?:href|src|action)="(/[^"]*)"`).FindAllStringSubmatch(page, -1)
		if status != 200 || len(links) == 0 {
			t.Errorf("%s: %d %s", address, status, page)
		}
		for _, link := range links {
			to := gateway.URL + strings.ReplaceAll(link[1], "&amp;", "&")
			if status, text := ask(t, http.DefaultClient, "GET", to, ""); status != 200 && status != 405 {
				t.Errorf("%s links to %s: %d %s", address, to, status, text)
			}
		}
	}
}

package pages_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/pages"
)

// Only the browser that began a flow can finish it, once, and in time.
func TestProviderCallbacks(t *testing.T) {
	const signup, late, wrong, denied = 200, "took too long", "could not be verified", "did not sign you in"
	for _, c := range []struct {
		name string
		want string
		do   func(s *providerSite) shown
	}{
		{"used twice", late, func(s *providerSite) shown {
			q := s.leave("example")
			jar := s.jar
			s.is(s.back("example", q), 200, "/account/provider/signup", "Create your account")
			s.jar = jar
			return s.back("example", q)
		}},
		{"another browser", late, func(s *providerSite) shown {
			q := s.leave("example")
			s.fresh()
			return s.back("example", q)
		}},
		{"another browser with a flow of its own", late, func(s *providerSite) shown {
			q := s.leave("example")
			s.fresh()
			s.leave("example")
			return s.back("example", q)
		}},
		{"no state", late, func(s *providerSite) shown {
			q := s.leave("example")
			q.Del("state")
			return s.back("example", q)
		}},
		{"state with the same beginning", late, func(s *providerSite) shown {
			q := s.leave("example")
			q.Set("state", q.Get("state")[:8]+strings.Repeat("x", 35))
			return s.back("example", q)
		}},
		{"callback of another provider", wrong, func(s *providerSite) shown { return s.back("other", s.leave("example")) }},
		{"other issuer", wrong, func(s *providerSite) shown {
			q := s.leave("example")
			q.Set("iss", "https://evil.example")
			return s.back("example", q)
		}},
		{"code used before", wrong, func(s *providerSite) shown {
			q := s.leave("example")
			delete(s.idp.nonces, q.Get("code"))
			return s.back("example", q)
		}},
		{"after 11 minutes", late, func(s *providerSite) shown {
			q := s.leave("example")
			s.gate.Clock.Advance(11 * time.Minute)
			return s.back("example", q)
		}},
		{"cancelled", denied, func(s *providerSite) shown {
			q := s.leave("example")
			q.Del("code")
			q.Set("error", "access_denied")
			return s.back("example", q)
		}},
		{"provider is down", "cannot be reached", func(s *providerSite) shown {
			q := s.leave("example")
			s.idp.down = true
			return s.back("example", q)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newProviderSite(t, pages.Options{})
			s.user("1", "ada@example.com", true)
			got := c.do(s)
			if got.status < 400 || !got.has(c.want) || !got.has(`role="alert"`) {
				t.Errorf("%d, want %q:\n%s", got.status, c.want, got.body)
			}
			s.is(s.get("/account/"), signup, "/account/login?next=%2Faccount%2F", "Sign in")
			list, err := s.gate.Store().Events().List(t.Context(), "", 0, 100)
			if err != nil || len(list) == 0 || list[0].Name != "provider_refused" || list[0].Detail == "" || list[0].Outcome != "failure" {
				t.Errorf("the events are %+v, %v", list, err)
			}
		})
	}
}

// Six tabs at the same time: each of the last five finishes by itself.
func TestProviderTabs(t *testing.T) {
	s := newProviderSite(t, pages.Options{})
	s.user("1", "ada@example.com", true)
	s.provide()
	s.is(s.post("/account/provider/signup", "username", "ada"), 200, "/account/", "Profile")
	s.fresh()
	var tabs []url.Values
	for range 6 {
		tabs = append(tabs, s.leave("example"))
	}
	for i := range tabs { // the last one first
		s.is(s.back("example", tabs[len(tabs)-1-i]), 200, "/account/", "Profile")
	}
	s.fresh()
	first, second := s.leave("example"), s.leave("example")
	s.is(s.back("example", first), 200, "/account/", "Profile")
	s.is(s.back("example", second), 200, "/account/", "Profile")
}

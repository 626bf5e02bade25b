package together

// Each side honours the other's logouts and rotations, through SimpleJWT's token_blacklist tables.

import (
	"net/http"
	"testing"

	"github.com/jotgate/jotgate/interop/client"
	"github.com/jotgate/jotgate/interop/django"
)

var rotating = map[string]any{"ROTATE_REFRESH_TOKENS": true, "BLACKLIST_AFTER_ROTATION": true}

func TestLogoutHoldsOnBothSides(t *testing.T) {
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site, jotgate := together(t, database(t), django.Options{SimpleJWT: rotating})
			site.CreateUser(t, django.User{Username: "alice", Password: password})
			sides := map[string]string{"Django": site.URL, "jotgate": jotgate.URL}
			for issuer, from := range sides {
				for ender, at := range sides {
					t.Run("token of "+issuer+", logout at "+ender, func(t *testing.T) {
						refresh := login(t, from).Text("refresh")
						out := client.Post(t, at+"/api/token/blacklist/", "refresh", refresh)
						if out.Status != http.StatusOK {
							t.Fatalf("logout: %+v", out)
						}
						for _, url := range sides {
							refused(t, client.Post(t, url+"/api/token/refresh/", "refresh", refresh), "token_not_valid", "Token is blacklisted")
						}
					})
				}
			}
		})
	}
}

// TestRotatedTokenIsSpentOnTheOtherSide: who refreshes gets a new pair; the old refresh token then opens neither side.
func TestRotatedTokenIsSpentOnTheOtherSide(t *testing.T) {
	t.Parallel()
	site, jotgate := together(t, "", django.Options{SimpleJWT: rotating})
	site.CreateUser(t, django.User{Username: "alice", Password: password})
	for name, urls := range map[string][2]string{
		"spent at jotgate": {jotgate.URL, site.URL},
		"spent at Django":  {site.URL, jotgate.URL},
	} {
		t.Run(name, func(t *testing.T) {
			refresh := login(t, urls[0]).Text("refresh")
			next := client.Post(t, urls[0]+"/api/token/refresh/", "refresh", refresh)
			if next.Status != http.StatusOK || next.Text("refresh") == "" || next.Text("refresh") == refresh {
				t.Fatalf("refresh: %+v", next)
			}
			refused(t, client.Post(t, urls[1]+"/api/token/refresh/", "refresh", refresh), "token_not_valid", "Token is blacklisted")
			if got := client.Post(t, urls[1]+"/api/token/refresh/", "refresh", next.Text("refresh")); got.Status != http.StatusOK {
				t.Errorf("the new token is refused on the other side: %+v", got)
			}
		})
	}
}

package jotgate_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// An id that is a number in the database is one in JSON, and is parsed again.
func TestUserIDJSON(t *testing.T) {
	for id, text := range map[record.UserID]string{
		"1": "1", "-5": "-5", "9223372036854775807": "9223372036854775807",
		"007": `"007"`, "9223372036854775808": `"9223372036854775808"`, "": `""`,
		"0b9a5c1e-8e5b-4d3a-9a53-6a2f0a3a8a11": `"0b9a5c1e-8e5b-4d3a-9a53-6a2f0a3a8a11"`,
	} {
		got, err := json.Marshal(id)
		if err != nil || string(got) != text {
			t.Errorf("%q becomes %s, %v", id, got, err)
		}
		var back record.UserID
		if err := json.Unmarshal([]byte(text), &back); err != nil || back != id {
			t.Errorf("%s becomes %q, %v", text, back, err)
		}
	}
	for _, text := range []string{"1.5", "true", "null", "[1]", "{}"} {
		var id record.UserID
		if err := json.Unmarshal([]byte(text), &id); err == nil {
			t.Errorf("%s becomes %q", text, id)
		}
	}
}

// The context with the user is the request's in everything else, and a user
// remains valid after its request.
func TestContextOfARequest(t *testing.T) {
	type other struct{}
	for what, remember := range map[string]int{"no memory": 0, "memory": 10} {
		guard := newGuard(t, func(s *jotgate.GuardSettings) { s.RememberTokens = remember })
		var users []*jotgate.User
		handler := guard.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			user, ok := jotgate.UserFrom(r.Context())
			if !ok || user.Username != "alice" || r.Context().Value(other{}) != "kept" || r.Context().Value("absent") != nil {
				t.Errorf("%s: %v, %v", what, user, r.Context())
			}
			below, cancel := context.WithCancel(context.WithValue(r.Context(), other{}, "changed"))
			defer cancel()
			if same, _ := jotgate.UserFrom(below); same != user || below.Value(other{}) != "changed" || r.Context().Err() == nil || below.Err() == nil {
				t.Errorf("%s: a context made of it does not follow it", what)
			}
			users = append(users, user)
		}))
		for range 2 {
			ctx, cancel := context.WithCancel(context.WithValue(t.Context(), other{}, "kept"))
			cancel()
			r := httptest.NewRequestWithContext(ctx, "GET", "/", nil)
			r.Header.Set("Authorization", "Bearer "+accessToken(t, nil))
			handler.ServeHTTP(httptest.NewRecorder(), r)
		}
		if len(users) != 2 || users[0].ID != "7" || (users[0] == users[1]) != (remember > 0) {
			t.Errorf("%s: %v", what, users)
		}
	}
}

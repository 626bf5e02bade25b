package jotgate_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/jotgate/jotgate"
)

func TestBearerProtocol(t *testing.T) {
	for _, row := range []struct {
		lines  []string
		token  string
		others []string
	}{
		{[]string{"bearer, a.b.c"}, "a.b.c", nil},
		{[]string{"bearer,a.b.c,chat"}, "a.b.c", []string{"chat"}},
		{[]string{"chat", "bearer", "a.b.c"}, "a.b.c", []string{"chat"}},
		{[]string{"\tchat , bearer ,  a.b.c "}, "a.b.c", []string{"chat"}},
		{nil, "", nil},
		{[]string{""}, "", nil},
		{[]string{"bearer"}, "", nil},
		{[]string{"bearer,"}, "", nil},
		{[]string{"a.b.c"}, "", nil},
		{[]string{"Bearer, a.b.c"}, "", nil}, // subprotocols are case-sensitive (RFC 6455 section 11.5)
		{[]string{"bearer, a.b.c, bearer, d.e.f"}, "", nil},
		{[]string{"bearer, bearer"}, "", nil},
	} {
		token, others, ok := jotgate.BearerProtocol(http.Header{"Sec-Websocket-Protocol": row.lines})
		if ok != (row.token != "") || token != row.token || !slices.Equal(others, row.others) {
			t.Errorf("%q: %q %q %v", row.lines, token, others, ok)
		}
	}
}

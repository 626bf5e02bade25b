package proxy_test

import (
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/proxy"
)

// A prefix that servers read in several ways would leave some requests open, so it is
// rejected; the prefix that it may have meant is not.
func TestPrefixes(t *testing.T) {
	gate := jotgatetest.New(t).Gate
	for prefix, accepted := range map[string]string{
		"/api//notes": "/api/notes", "/x/../notes/": "/notes/", "/./notes": "/notes", "/notes/.": "/notes/", "//host/notes": "/notes",
		"/a%20b": "/a b", "/n%6ftes": "/notes", "/notes?x=1": "/notes", "/notes#x": "/notes", `/a\b`: "/a/b", "/notes.": "/notes", "/notes;v=1": "/notes",
		"/a\x00": "/a", "/a ": "/a", "": "/",
	} {
		for p, ok := range map[string]bool{prefix: false, accepted: true} {
			for name, s := range map[string]proxy.Settings{
				"Protect": {Protect: []string{"/other/", p}},
				"StepUp":  {Protect: []string{"/other/"}, StepUp: map[string][]jotgate.Requirement{p: {jotgate.ACR("aal2")}}},
			} {
				s.Upstream = "http://127.0.0.1:1"
				if _, err := proxy.New(gate.Guard, s); (err == nil) != ok {
					t.Errorf("%s: %q: %v", name, p, err)
				}
			}
		}
	}
}

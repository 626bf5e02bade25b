package api

import (
	"slices"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/jotgatetest"
)

// Every path of the API is below one that pages and the administration cannot have.
func TestEveryRouteIsReserved(t *testing.T) {
	for _, prefix := range []string{"", "/accounts"} {
		a, err := New(jotgatetest.New(t).Gate, Settings{Prefix: prefix})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range a.routes() {
			paths := append(a.insertedPaths(&r), prefix+r.path)
			if r.probe {
				paths = append(paths, r.path)
			}
			for _, path := range paths {
				if !slices.ContainsFunc(a.settings.reserved(), func(tree string) bool { return strings.HasPrefix(path+"/", tree) }) {
					t.Errorf("%s is below none of %v", path, a.settings.reserved())
				}
			}
		}
	}
}

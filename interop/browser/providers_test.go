package browser

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/jotgate/jotgate/internal/rounds"
	"github.com/jotgate/jotgate/interop/browser/chrome"
	"github.com/jotgate/jotgate/interop/providers/linking"
	"github.com/jotgate/jotgate/jotgatetest"
)

// The table of account linking in Chromium, with a certified provider. The long form has each cell with and without
// scripts on both databases; the short one each third cell, once.
func TestProviderLinking(t *testing.T) {
	there := linking.Start(t, nil)
	var first *chrome.Page
	tries := 0
	for i, c := range linking.Cells() {
		for j, way := range []struct {
			script   bool
			database string
			on       linking.Database
		}{{false, "sqlite", linking.SQLite}, {true, "postgresql", linking.PostgreSQL}, {true, "sqlite", linking.SQLite}, {false, "postgresql", linking.PostgreSQL}} {
			if !rounds.Long() && (i%3 != 0 || j != i/3%4) {
				continue
			}
			if tries++; tries%12 == 1 { // a browser that has had a hundred tabs can hang
				first = chrome.Open(t, "about:blank")
				scripts(t, first)
			}
			t.Run(fmt.Sprint(c.User, ", ", c.Local, ", link ", c.Link, ", script ", way.script, ", ", way.database), func(t *testing.T) {
				there.Open(t, c, way.on)
				(&visitor{there.URL, first.Fresh(t, way.script)}).try(c, func() *visitor {
					return &visitor{there.URL, first.Fresh(t, way.script)}
				})
			})
		}
	}
}

// scripts makes sure that tabs run scripts only if they should.
func scripts(t *testing.T, first *chrome.Page) {
	t.Helper()
	for _, script := range []bool{true, false} {
		page := first.Fresh(t, script)
		page.Do(chromedp.Navigate("data:text/html,<p>text</p><script>document.querySelector('p').textContent = 'script'</script>"))
		if _, html := page.Ends(func(_, html string) bool { return html != "" }); strings.Contains(html, "<p>script</p>") != script {
			t.Fatalf("script %v: %s", script, html)
		}
	}
}

// A visitor is a browser at the site.
type visitor struct {
	url string
	*chrome.Page
}

const (
	name      chromedp.CSS = `input[name="username"]`
	word      chromedp.CSS = `input[name="password"]`
	enter     chromedp.CSS = `button.primary`
	certified chromedp.CSS = `form[action*="/account/provider"] button`
)

// try has the user of a cell sign in; fresh returns another browser.
func (v *visitor) try(c linking.Cell, fresh func() *visitor) {
	start := "/account/login"
	if c.Local == linking.SignedIn || c.Local == linking.Taken {
		v.Do(chromedp.Navigate(v.url + start))
		v.enter()
		v.ends(linking.In)
		start = "/account/security"
	}
	v.through(start)
	v.ends(c.Want)
	if c.Want == linking.SignIn {
		v.enter()
		v.ends(linking.Connected)
	}
	if c.Want == linking.SignIn || c.Want == linking.Connected {
		again := fresh()
		again.through("/account/login")
		again.ends(linking.In)
	}
	if c.Want == linking.SignUp {
		v.Do(chromedp.SetValue(name, "signed-up"), chromedp.Click(enter))
		v.ends(linking.Outcome{Path: "/account/", Text: `value="signed-up"`})
	}
}

// through presses the button of the provider.
func (v *visitor) through(path string) {
	v.Do(chromedp.Navigate(v.url+path), chromedp.Click(certified))
}

// enter signs in with the password on the page that is open.
func (v *visitor) enter() {
	v.Do(chromedp.SetValue(name, "owner"), chromedp.SetValue(word, jotgatetest.Password), chromedp.Click(enter))
}

// ends waits for an outcome.
func (v *visitor) ends(want linking.Outcome) {
	v.Ends(func(address, html string) bool {
		u, err := url.Parse(address)
		if err != nil || !strings.HasPrefix(address, v.url) {
			return false
		}
		path := u.RequestURI()
		return (path == want.Path || strings.HasSuffix(want.Path, "?") && strings.HasPrefix(path, want.Path)) && strings.Contains(html, want.Text)
	})
}

package providers

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/rounds"
	"github.com/jotgate/jotgate/interop/allauth"
	"github.com/jotgate/jotgate/interop/providers/linking"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/provider"
	"github.com/jotgate/jotgate/record"
)

// pair is a site and a real allauth beside it, on one database, with the same provider.
type pair struct {
	*site
	django   *allauth.Site
	browsers int
}

// Accounts that are connected on either side sign in at the other, what one side disconnects is disconnected at the other,
// and neither side has anything to change in the other's tables, whoever made them. The short form has each database and
// each maker of the tables once.
func TestBesideAllauth(t *testing.T) {
	for name, address := range map[string]func(*testing.T) string{
		"sqlite":     func(t *testing.T) string { return "sqlite:" + t.TempDir() + "/shared.db" },
		"postgresql": func(t *testing.T) string { return pgtest.Database(t) },
	} {
		for _, first := range []string{"Django", "jotgate"} {
			if short := first == map[string]string{"sqlite": "Django", "postgresql": "jotgate"}[name]; !short && !rounds.Long() {
				continue
			}
			t.Run(name+", tables of "+first, func(t *testing.T) {
				t.Parallel()
				newPair(t, address(t), first == "Django").both()
			})
		}
	}
}

// newPair starts both sides; djangoFirst says who makes the tables.
func newPair(t *testing.T, address string, djangoFirst bool) *pair {
	p, issuer := &pair{}, ""
	p.site = newSite(t, func(t *testing.T, g *jotgatetest.Gate) {
		p.django = allauth.StartWith(t, address, string(g.Settings().SecretKey), issuer, allauth.Client{ID: "jotgate", Secret: linking.Secret})
		if djangoFirst {
			p.django.Manage(t, "migrate", "--verbosity=0")
		}
		linking.At(address)(t, g)
		if !djangoFirst {
			p.nothingToMigrate(t)
			p.django.Manage(t, "migrate", "--verbosity=0") // Django's own apps: sessions
		}
	}, func(o *provider.Settings) {
		issuer = o.Issuer
	})
	return p
}

func (p *pair) nothingToMigrate(t *testing.T) {
	t.Helper()
	for _, app := range []string{"auth", "account", "mfa", "socialaccount"} {
		if out := p.django.Manage(t, "migrate", app); !strings.Contains(out, "No migrations to apply") {
			t.Errorf("migrate %s:\n%s", app, out)
		}
	}
	if out := p.django.Manage(t, "makemigrations", "--check", "--dry-run"); !strings.Contains(out, "No changes detected") {
		t.Errorf("makemigrations --check:\n%s", out)
	}
}

// both takes five users from one side to the other and back.
func (p *pair) both() {
	p.nothingToMigrate(p.T)

	// Whoever has signed up at allauth signs in here, and has proved the address here, too.
	p.isThere("vera", p.there("", "verified"))
	p.isHere("vera", "verified")
	vera := p.account("vera")
	if verified, _, err := p.gate.Store().Addresses().Verified(p.Context(), vera.ID, "verified@example.com"); err != nil || !verified {
		p.Errorf("the address that allauth has verified: %v, %v", verified, err)
	}

	// And the reverse.
	path, body := p.provide("unverified")
	p.is("/account/provider/signup", path, body)
	path, body = p.post("/account/provider/signup", "username", "una")
	p.is("/account/", path, body)
	p.isThere("una", p.there("", "unverified"))

	// Neither side removes the only way to sign in.
	p.isThere("vera", p.there("vera's", "verified"))
	if page := p.disconnectThere("vera's", "vera"); page.Status != http.StatusOK { // else a redirect
		p.Errorf("allauth disconnects the only way: %d %s", page.Status, page.Location)
	}
	p.isHere("vera", "verified")
	p.disconnectHere("vera", "/account/security")

	// Connected and disconnected at allauth.
	p.django.Ask(p, "create_user", map[string]any{"username": "alice", "password": jotgatetest.Password}, nil)
	p.connectThere("alice", "none")
	p.isHere("alice", "none")
	if page := p.disconnectThere("alice", "alice"); page.Status != http.StatusFound {
		p.Errorf("allauth does not disconnect: %d %s", page.Status, page.HTML)
	}
	path, body = p.provide("none")
	p.is("/account/provider/signup", path, body)

	// Connected and disconnected here.
	p.gate.User("bob")
	p.connectHere("bob", "none")
	p.isThere("bob", p.there("", "none"))
	p.isHere("bob", "none")
	p.disconnectHere("bob", "/account/security?done=saved")
	p.isThere("nona", p.there("", "none")) // allauth signs up whom it does not know

	// A connected account cannot be taken by another user, whichever side has connected it.
	p.isHere("nona", "none")
	path, body = p.connectHere("bob", "none")
	if !strings.Contains(body, "is connected to another account here") {
		p.Errorf("bob has taken nona's account at the provider: %s\n%s", path, body)
	}
	p.connectThere("alice", "unverified")
	want := []string{"vera certified verified 1", "una certified unverified 1", "nona certified none 1"}
	if got := p.social(); !slices.Equal(got, want) {
		p.Errorf("allauth has %q, want %q", got, want)
	}

	// An account that is deleted here leaves nothing there.
	if err := p.gate.Accounts().Delete(p.Context(), p.account("nona"), jotgate.Client{}); err != nil {
		p.Error(err)
	}
	if got := p.social(); !slices.Equal(got, want[:2]) {
		p.Errorf("after the deletion allauth has %q, want %q", got, want[:2])
	}
	p.nothingToMigrate(p.T)
}

// there signs in at allauth, in a new browser if browser is empty.
func (p *pair) there(browser, user string) allauth.Page {
	p.Helper()
	if browser == "" {
		p.browsers++
		browser = fmt.Sprint(p.browsers)
	}
	return p.throughAllauth(browser, user, "login")
}

// throughAllauth is the way from allauth to the provider and back.
func (p *pair) throughAllauth(browser, user, process string) allauth.Page {
	p.Helper()
	if got := p.issuer.Ask(p.T, user); got != "ok" {
		p.Fatal(got)
	}
	page := p.django.Browse(p, browser, "/accounts/oidc/certified/login/?process="+process, map[string]string{})
	if page.Status != http.StatusFound {
		p.Fatalf("allauth: %d %s", page.Status, page.HTML)
	}
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: secure{jar}, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host == "localhost" {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	response, err := client.Get(page.Location)
	if err != nil {
		p.Fatal(err)
	}
	_ = response.Body.Close()
	back, err := response.Location()
	if err != nil {
		p.Fatalf("%s: %s, %v", response.Request.URL, response.Status, err)
	}
	return p.django.Browse(p, browser, back.RequestURI(), nil)
}

// isThere demands that a user is signed in at allauth.
func (p *pair) isThere(user string, page allauth.Page) {
	p.Helper()
	if page.User != user || page.Status != http.StatusFound {
		p.Errorf("at allauth %q is signed in, want %s: %d %s\n%s", page.User, user, page.Status, page.Location, page.HTML)
	}
}

// isHere demands that a user of the provider signs in here as a user.
func (p *pair) isHere(user, there string) {
	p.Helper()
	path, body := p.provide(there)
	p.is("/account/", path, body)
	list, err := p.gate.Store().Sessions().List(p.Context(), p.account(user).ID, p.gate.Clock.Now())
	if err != nil || len(list) == 0 || !strings.Contains(body, `value="`+user+`"`) {
		p.Errorf("here %s is not signed in: %v\n%s", user, err, body)
	}
}

func (p *pair) account(user string) *record.Account {
	p.Helper()
	a, err := p.gate.Store().Accounts().ByLogin(p.Context(), user)
	if err != nil {
		p.Fatal(err)
	}
	return a
}

// social lists the connected accounts as allauth sees them.
func (p *pair) social() (list []string) {
	p.Helper()
	for _, a := range p.rows() {
		list = append(list, fmt.Sprint(a.User, " ", a.Provider, " ", a.UID, " ", a.Tokens))
	}
	return list
}

type row struct {
	ID, User, Provider, UID, Words string
	Tokens                         int
}

func (p *pair) rows() (list []row) {
	p.Helper()
	p.django.Ask(p, "social", nil, &list)
	return list
}

// connectThere signs in at allauth with the password, and connects.
func (p *pair) connectThere(browser, there string) {
	p.Helper()
	page := p.django.Browse(p, browser, "/accounts/login/", map[string]string{"login": browser, "password": jotgatetest.Password})
	if page.User != browser {
		p.Fatalf("allauth refuses the password: %d %s", page.Status, page.HTML)
	}
	if page = p.throughAllauth(browser, there, "connect"); page.User != browser || page.Location != "/accounts/3rdparty/" {
		p.Errorf("allauth does not connect: %d %s %s", page.Status, page.Location, page.HTML)
	}
}

// disconnectThere disconnects the user's account at the provider on allauth's page.
func (p *pair) disconnectThere(browser, user string) allauth.Page {
	p.Helper()
	rows := p.rows()
	i := slices.IndexFunc(rows, func(a row) bool { return a.User == user })
	if i < 0 {
		p.Fatalf("allauth has no row of %s: %v", user, rows)
	}
	return p.django.Browse(p, browser, "/accounts/3rdparty/", map[string]string{"account": rows[i].ID})
}

// connectHere signs in here with the password, and connects.
func (p *pair) connectHere(user, there string) (path, body string) {
	p.Helper()
	p.jar, _ = cookiejar.New(nil)
	path, body = p.post("/account/login", "username", user, "password", jotgatetest.Password)
	p.is("/account/", path, body)
	if got := p.issuer.Ask(p.T, there); got != "ok" {
		p.Fatal(got)
	}
	return p.post("/account/provider", "provider", "certified", "use", "connect")
}

// disconnectHere disconnects the account at the provider of the user who is signed in, and demands where that leads.
func (p *pair) disconnectHere(user, want string) {
	p.Helper()
	list, err := p.gate.Store().SocialAccounts().ListSocial(p.Context(), p.account(user).ID)
	if err != nil || len(list) != 1 {
		p.Fatalf("%s has %+v, %v", user, list, err)
	}
	path, body := p.post("/account/security", "disconnect", fmt.Sprint(list[0].ID))
	p.is(want, path, body)
}

package together

// jotgate's administration and a real Django admin on the same database: times and memory.

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/interop/django"
	"github.com/jotgate/jotgate/interop/serve"
)

// shownPage is a page of the list of users: that of jotgate and that of Django.
type shownPage struct{ name, jotgate, django string }

// The pages of both show as many users, and the memory of jotgate grows by less than 20 MiB by the list, a page far behind,
// a search and an export of all. JOTGATE_USERS=1000000 prints the times among a million users, in milliseconds.
func TestAdminBesideDjango(t *testing.T) {
	users := 3000
	if text := os.Getenv("JOTGATE_USERS"); text != "" {
		var err error
		if users, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			site := django.Open(t, django.Options{Database: database(t), Unmigrated: true})
			superuser(t, site, "root", "root@example.com")
			site.Manage(t, "migrate", "--noinput")
			for first := 1; first <= users; first += 50_000 {
				site.Ask(t, "fill_users", map[string]any{"first": first, "last": min(users, first+49_999)}, nil)
			}
			b := browse(t, beside(t, site, "--hasher", djangoHasher, "--log-level", "error"))
			number, rounds := min(500, users/100), 9
			after := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"id":%d}`, (number-1)*100))
			var version string
			site.Ask(t, "version", nil, &version)
			page := number - 1
			if !strings.HasPrefix(version, "3.") { // counts pages from 1
				page = number
			}
			b.times("users/", 20) // the memory of templates, connections and caches
			b.export("true")
			before := b.peak()
			t.Logf("%d users, the median of %d requests; Django %s", users, rounds, version)
			for _, p := range []shownPage{
				{"list", "users/", "auth/user/"},
				{fmt.Sprint("page ", number), "users/?after=" + after, fmt.Sprint("auth/user/?o=-5&p=", page)},
				{"search: middle", fmt.Sprintf("users/?q=er%d@exam", users-7), fmt.Sprintf("auth/user/?q=er%d@exam", users-7)},
				{"search: many results", "users/?q=@example", "auth/user/?q=@example"},
				{"filter: staff", "users/?staff=true", "auth/user/?is_staff__exact=1"},
			} {
				own, rows := b.times(p.jotgate, rounds)
				var theirs struct {
					Times []float64
					Rows  int
				}
				site.Ask(t, "admin_times", map[string]any{"path": "/admin/" + p.django, "username": "root", "rounds": rounds}, &theirs)
				if rows != theirs.Rows || rows == 0 {
					t.Errorf("%s: jotgate shows %d users, Django %d", p.name, rows, theirs.Rows)
				}
				slices.Sort(theirs.Times)
				t.Logf("%-22s jotgate %8.1f ms, Django %8.1f ms", p.name, own, theirs.Times[rounds/2])
			}
			begun := time.Now()
			size := b.export("")
			took := time.Since(begun)
			grown := b.peak() - before
			t.Logf("export of %d bytes in %v; the process of jotgate has had %d MiB, and then %d MiB more", size, took.Round(time.Millisecond), before>>20, grown>>20)
			if grown > 20<<20 || size < 50*users {
				t.Errorf("grown by %d KiB; %d bytes were exported", grown>>10, size)
			}
		})
	}
}

// browser is a member of staff at jotgate.
type browser struct {
	*testing.T
	server *serve.Server
	client *http.Client
}

func browse(t *testing.T, server *serve.Server) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t, server, &http.Client{Jar: loopback{jar}}}
	b.post("/account/login?next=%2Fadmin%2Fusers%2F", url.Values{"username": {"root"}, "password": {password}}, io.Discard)
	return b
}

// loopback sends Secure cookies to this machine over plain HTTP, as browsers do.
type loopback struct{ http.CookieJar }

func (l loopback) SetCookies(u *url.URL, list []*http.Cookie) {
	l.CookieJar.SetCookies(secure(u), list)
}

func (l loopback) Cookies(u *url.URL) []*http.Cookie { return l.CookieJar.Cookies(secure(u)) }

func secure(u *url.URL) *url.URL {
	c := *u
	c.Scheme = "https"
	return &c
}

// post sends a form and writes the response after all redirects, which must be a success.
func (b *browser) post(path string, form url.Values, to io.Writer) (size int64) {
	b.Helper()
	r, err := http.NewRequest(http.MethodPost, b.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", b.server.URL)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.send(r, to)
}

func (b *browser) send(r *http.Request, to io.Writer) int64 {
	b.Helper()
	response, err := b.client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	size, err := io.Copy(to, response.Body)
	if err != nil || response.StatusCode != http.StatusOK || strings.HasPrefix(response.Request.URL.Path, "/account/") {
		b.Fatalf("%s: %d, %v", response.Request.URL, response.StatusCode, err)
	}
	return size
}

var userRow = regexp.MustCompile(`name="selected" value=`)

// times opens a page several times and returns the median in milliseconds, and the users on it.
func (b *browser) times(path string, rounds int) (median float64, rows int) {
	b.Helper()
	var times []float64
	for range rounds {
		var page strings.Builder
		r, err := http.NewRequest(http.MethodGet, b.server.URL+"/admin/"+path, nil)
		if err != nil {
			b.Fatal(err)
		}
		begun := time.Now()
		b.send(r, &page)
		times = append(times, time.Since(begun).Seconds()*1000)
		rows = len(userRow.FindAllString(page.String(), -1))
	}
	slices.Sort(times)
	return times[rounds/2], rows
}

// export exports all users, or those who are staff, and returns the number of bytes.
func (b *browser) export(staff string) int {
	b.Helper()
	return int(b.post("/admin/users/export", url.Values{"format": {"csv"}, "staff": {staff}}, io.Discard))
}

// peak is the most memory that the server has had, in bytes.
func (b *browser) peak() int {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.server.Pid()))
	if err != nil {
		b.Fatal(err)
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	if found == nil {
		b.Fatal("no VmHWM")
	}
	kib, _ := strconv.Atoi(string(found[1]))
	return kib << 10
}

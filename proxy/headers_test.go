package proxy

// Which names pass, by the table alone; forge_headers_test.go sends them.

import (
	"bytes"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/quick"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/allocs"
	"github.com/jotgate/jotgate/jwt"
)

// punctuation is what a header name may hold besides letters and digits (RFC
// 9110 section 5.6.2).
const punctuation = "!#$%&'*+-.^_`|~"

// examples has a name for every row of the table.
func examples() (names []string) {
	names = slices.Concat(identity[:], connection[:], reservedNames)
	for _, prefix := range reservedPrefixes {
		names = append(names, strings.TrimSuffix(prefix, "-"), strings.TrimSuffix(prefix, "-")+"-Something")
	}
	for _, ending := range reservedEndings {
		names = append(names, ending, "Any-"+ending, "X-Some-Network-"+ending)
	}
	return names
}

// foldName is how the most forgiving server reads a name: every character that is
// neither a letter nor a digit is "-", and letter case does not count.
func foldName(name string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			return c
		case 'A' <= c && c <= 'Z':
			return c - 'A' + 'a'
		}
		return '-'
	}, name)
}

func TestReservedNamesInEverySpelling(t *testing.T) {
	var rules headerRules
	checked := 0
	for _, name := range examples() {
		for _, spelling := range spellings(name) {
			for _, letters := range []string{spelling, strings.ToLower(spelling), strings.ToUpper(spelling)} {
				checked++
				if foldName(letters) == foldName(name) && rules.passes(letters) {
					t.Errorf("%q passes, which folds to %s", letters, name)
				}
				if strings.Trim(foldName(letters), "-") == foldName(name) && rules.passes(letters) {
					t.Errorf("%q passes, which is %s with something before or after it", letters, name)
				}
			}
		}
	}
	t.Logf("%d spellings", checked)
	if checked < 100_000 {
		t.Errorf("only %d spellings", checked)
	}
}

// spellings of a name: each character of punctuation in place of each "-", of any
// of them together, before, after, and at each place within.
func spellings(name string) (all []string) {
	for i := range len(punctuation) {
		c := punctuation[i : i+1]
		for at := range len(name) + 1 {
			all = append(all, name[:at]+c+name[at:])
		}
		words := strings.Split(name, "-")
		for mask := range 1 << (len(words) - 1) {
			text := words[0]
			for n, word := range words[1:] {
				if mask>>n&1 == 1 {
					text += c + word
				} else {
					text += "-" + word
				}
			}
			all = append(all, text)
		}
	}
	return all
}

// Any name at all: with other characters than letters, digits and "-" it does not
// pass, and no name passes that folds to a reserved one.
func TestAnyName(t *testing.T) {
	var rules headerRules
	reservedFolds := map[string]bool{}
	for _, name := range examples() {
		reservedFolds[foldName(name)] = true
	}
	property := func(pick uint16, raw []byte) bool {
		all := examples()
		name := []byte(all[int(pick)%len(all)])
		for i, b := range raw { // change some characters, or make a name of nothing else
			if i < len(name) && b < 128 {
				name[i] = b
			} else if b < 16 {
				name = append(name, b)
			}
		}
		passes := rules.passes(string(name))
		simple := len(name) > 0 && len(bytes.Trim(name, "-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) == 0
		return !passes || simple && !reservedFolds[foldName(string(name))]
	}
	if err := quick.Check(property, &quick.Config{MaxCount: 20_000}); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"", "-", "---", "é", "X-Auth-Üser", "X-Auth-\u212aey", "X Y", "X:Y", "X\tY", "X\x00"} {
		if rules.passes(name) {
			t.Errorf("%q passes", name)
		}
	}
}

// What browsers, front ends, tracing and APIs send passes.
func TestHonestNames(t *testing.T) {
	var rules headerRules
	for _, name := range strings.Fields(`Accept Accept-Charset Accept-Encoding Accept-Language Access-Control-Request-Method
		Access-Control-Request-Headers Authorization Baggage Cache-Control Content-Disposition Content-Encoding Content-Language
		Content-Length Content-Location Content-Range Content-Type Cookie Date Depth Destination Digest Dnt Dpop Early-Data Etag Expect
		From Host Idempotency-Key If-Match If-Modified-Since If-None-Match If-Range If-Unmodified-Since Last-Event-Id Link Lock-Token
		Max-Forwards Origin Overwrite Pragma Prefer Priority Range Referer Save-Data Sec-Ch-Ua Sec-Fetch-Mode Sec-Websocket-Key
		Sec-Websocket-Protocol Signature Signature-Input Te Timeout Traceparent Tracestate Upgrade-Insecure-Requests User-Agent Via
		Want-Digest X-Amzn-Trace-Id X-Api-Key X-Apollo-Operation-Name X-B3-Traceid X-Client-Id X-Client-Info X-Client-Version
		X-Correlation-Id X-Csrf-Token X-Csrftoken X-Custom-Header X-Device-Id X-Grpc-Web X-Hub-Signature-256 X-Inertia X-Locale
		X-Requested-With X-Request-Id X-Tenant-Id X-Timezone X-User-Agent X-Wallet-Address X-Xsrf-Token X-Zip Hx-Request
		X-Ship X-Authorization Grpc-Timeout Tus-Resumable Upload-Offset Stripe-Signature Apikey Prefer-Push`) {
		if !rules.passes(name) {
			t.Errorf("%s does not pass", name)
		}
	}
}

func TestHeaderSettings(t *testing.T) {
	key, err := jwt.HS256.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	build := func(header string, drop, pass []string) error {
		guard, err := jotgate.NewGuard(jotgate.GuardSettings{Keys: key, HeaderName: header})
		if err != nil {
			t.Fatal(err)
		}
		_, err = New(guard, Settings{Upstream: "http://127.0.0.1:1", Protect: []string{"/"}, DropHeaders: drop, PassHeaders: pass})
		return err
	}
	for name, c := range map[string]struct {
		header     string
		drop, pass []string
		fault      string
	}{
		"nothing":                  {},
		"a table's name":           {pass: []string{"cf-ray", "X-Auth-Token", "x-forwarded-prefix"}},
		"a token's header":         {header: "X-Auth-Token"},
		"drop a name":              {drop: []string{"x-tenant-id"}},
		"drop with punctuation":    {drop: []string{"X_Tenant"}, fault: "DropHeaders"},
		"pass with punctuation":    {pass: []string{"X.Auth.Token"}, fault: "PassHeaders"},
		"pass an empty word":       {pass: []string{"X-Auth--User"}, fault: "PassHeaders"},
		"pass nothing":             {pass: []string{""}, fault: "PassHeaders"},
		"pass identity":            {pass: []string{"x-auth-user"}, fault: "PassHeaders"},
		"pass the client":          {pass: []string{"X-Forwarded-For"}, fault: "PassHeaders"},
		"pass what is dropped":     {drop: []string{"X-A"}, pass: []string{"x-a"}, fault: "PassHeaders"},
		"the token as identity":    {header: "x-auth-user", fault: "X-Auth-User"},
		"the token as the address": {header: "X-Forwarded-For", fault: "X-Forwarded-For"},
	} {
		err := build(c.header, c.drop, c.pass)
		if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: %v", name, err)
		}
	}
	rules, err := newHeaderRules("X-Auth-Token", Settings{DropHeaders: []string{"x-tenant-id"}, PassHeaders: []string{"cf-ray"}})
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{"X-Auth-Token": {"Bearer x"}, "Cf-Ray": {"1"}, "X-Tenant-Id": {"1"}, "x-tenant-id": {"1"}, "X--Tenant-Id": {"1"}, "X-Auth-Other": {"1"}, "Accept": {"*/*"}}
	rules.apply(h)
	if len(h) != 3 || h["X-Auth-Token"] == nil || h["Cf-Ray"] == nil || h["Accept"] == nil {
		t.Errorf("what is left: %v", h)
	}
}

// The page lists every row of the table.
func TestThePageListsTheTable(t *testing.T) {
	page, err := os.ReadFile("../docs/proxy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "## Headers that reach the API")
	table, _, _ = strings.Cut(table, "\n## ")
	for _, name := range slices.Concat(identity[:], connection[:], reservedNames) {
		if !strings.Contains(table, "`"+name+"`") && !slices.Contains(slices.Concat(identity[:], connection[:]), name) {
			t.Errorf("docs/proxy.md does not list `%s`", name)
		}
	}
	for _, prefix := range reservedPrefixes {
		if !strings.Contains(table, "`"+prefix+"…`") {
			t.Errorf("docs/proxy.md does not list `%s…`", prefix)
		}
	}
	for _, ending := range reservedEndings {
		if !strings.Contains(table, "`…-"+ending+"`") {
			t.Errorf("docs/proxy.md does not list `…-%s`", ending)
		}
	}
}

// The rules cost a request no memory.
func TestHeaderRulesAllocateNothing(t *testing.T) {
	rules, err := newHeaderRules("Authorization", Settings{})
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{"Accept": {"*/*"}, "Authorization": {"Bearer x"}, "User-Agent": {"x"}, "X-Requested-With": {"x"}}
	allocs.AtMost(t, 0, 100, func() { rules.apply(h) })
}

func BenchmarkHeaderRules(b *testing.B) {
	rules, err := newHeaderRules("Authorization", Settings{})
	if err != nil {
		b.Fatal(err)
	}
	h := http.Header{
		"Accept": {"*/*"}, "Accept-Encoding": {"gzip"}, "Authorization": {"Bearer x"}, "Content-Type": {"application/json"},
		"User-Agent": {"x"}, "X-Requested-With": {"x"}, "Cookie": {"a=b"}, "Origin": {"x"},
	}
	b.ReportAllocs()
	for b.Loop() {
		rules.apply(h)
	}
}

package jotgate

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// The revocation feed over HTTP: how a Guard far from the database hears, within
// a second, what was revoked.
//
//	GET …?since=CURSOR&wait=SECONDS&nonce=TEXT
//	Jotgate-Signature: <token over the SHA-256 of the body, and the nonce>
//	{"cursor":"…","complete":false,"keep":301,"revoked":[{"sid":"…","at":1788947152},{"user_id":"7","at":…}]}
//
// The cursor belongs to one process. A cursor the process does not know (it
// restarted, or another node answers) gets everything, with complete true. The
// answer waits for news at most wait seconds.

// SignatureHeader carries the signature of a page of the feed.
const signatureHeader = "Jotgate-Signature"

// maxWait bounds the wait parameter.
const maxWait = 25 * time.Second

// feedEntry is one revocation as the feed writes it.
type feedEntry struct {
	Session string        `json:"sid,omitempty"`
	User    record.UserID `json:"user_id,omitempty"`
	At      int64         `json:"at"` // Unix seconds
}

// feedBody is a page of the feed.
type feedBody struct {
	Cursor   string      `json:"cursor"`
	Complete bool        `json:"complete"` // everything in force is listed
	Keep     int64       `json:"keep"`     // seconds that an entry stays in force after its time
	Revoked  []feedEntry `json:"revoked"`
}

// feedLog remembers the order in which revocations arrived at this process.
// Its methods are called under the lock of revocations; a nil log keeps none.
type feedLog struct {
	epoch   string // of this process
	first   int    // number of entries[0]
	entries []feedEntry
}

func newFeedLog() *feedLog {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return &feedLog{epoch: hex.EncodeToString(b[:])}
}

func (l *feedLog) append(e record.Revocation) {
	if l == nil {
		return
	}
	at := e.Made.Unix()
	if !e.NotBefore.IsZero() {
		at = e.NotBefore.Unix()
	}
	l.entries = append(l.entries, feedEntry{e.Session, e.User, at})
}

// sweep drops entries that lie before the time, up to the first that does not:
// nodes' clocks differ, so the order of arrival is not quite that of time.
func (l *feedLog) sweep(before int64) {
	if l == nil {
		return
	}
	n := slices.IndexFunc(l.entries, func(e feedEntry) bool { return e.At >= before })
	if n < 0 {
		n = len(l.entries)
	}
	l.entries = append([]feedEntry(nil), l.entries[n:]...)
	l.first += n
}

// since lists what arrived after the cursor, or everything.
func (l *feedLog) since(cursor string) feedBody {
	body := feedBody{Cursor: l.epoch + "." + strconv.Itoa(l.first+len(l.entries)), Revoked: []feedEntry{}}
	epoch, number, _ := strings.Cut(cursor, ".")
	from, err := strconv.Atoi(number)
	if err != nil || epoch != l.epoch || from < l.first || from > l.first+len(l.entries) {
		from, body.Complete = l.first, true
	}
	body.Revoked = append(body.Revoked, l.entries[from-l.first:]...)
	return body
}

// page returns what arrived after the cursor and a channel that tells of more.
func (r *revocations) page(cursor string) (feedBody, <-chan struct{}) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	page := r.log.since(cursor)
	page.Keep = r.lifetime
	return page, r.news
}

// serveFeed makes r keep a log, so that it can be served. Call it before use.
func (r *revocations) serveFeed() { r.log = newFeedLog() }

// RevocationFeed serves the feed that Guards elsewhere follow
// (GuardSettings.RevocationsURL). It tells ids of sessions and users, no more;
// serve it where only your services reach it. Settings.ServeRevocations must
// be on, or it answers 404.
func (g *Gate) RevocationFeed() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.revoked.log == nil {
			ErrNotFound.Respond(w, "")
			return
		}
		if g.RevocationAge() > g.settings.RevocationMaxAge {
			ErrUnavailable.Because(fmt.Errorf("the revocations are %v old", g.RevocationAge())).Respond(w, "")
			return
		}
		g.writeFeed(w, r, g.nextPage(r))
	})
}

// nextPage waits for news, as long as the client asks for.
func (g *Gate) nextPage(r *http.Request) feedBody {
	cursor := r.URL.Query().Get("since")
	seconds, _ := strconv.Atoi(r.URL.Query().Get("wait"))
	timeout := time.NewTimer(min(maxWait, time.Duration(max(0, seconds))*time.Second))
	defer timeout.Stop()
	for {
		page, news := g.revoked.page(cursor)
		if page.Complete || len(page.Revoked) > 0 {
			return page
		}
		select {
		case <-news:
		case <-timeout.C:
			return page
		case <-r.Context().Done():
			return page
		}
	}
}

// writeFeed signs the page and the nonce, so that an old page cannot be played
// back, and sends it.
func (g *Gate) writeFeed(w http.ResponseWriter, r *http.Request, page feedBody) {
	body, err := json.Marshal(page)
	if err != nil {
		AsError(err).Respond(w, "")
		return
	}
	now := g.now().Unix()
	signature, err := jwt.Sign(g.keys.signing(), jwt.Object{
		{"token_type", "revocations"},
		{"exp", now + 60},
		{"iat", now},
		{"jti", randomHex()},
		{"digest", digestOf(body)},
		{"nonce", cut(r.URL.Query().Get("nonce"), 64)},
	})
	if err != nil {
		AsError(err).Respond(w, "")
		return
	}
	w.Header().Set(signatureHeader, signature)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(body)
}

func digestOf(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

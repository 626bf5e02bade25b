package jotgate

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// The revocation feed over HTTP: how a Guard far from the database learns, within
// a second, what was revoked.
//
//	GET …?since=CURSOR&wait=SECONDS&nonce=TEXT
//	Jotgate-Signature: <token over the SHA-256 of the body, and the nonce>
//	{"cursor":"…","complete":false,"keep":301,"keep_users":2592001,"revoked":[
//	  {"sid":"…","at":1788947152},{"user_id":"7","at":…},{"user_id":"8","at":…,"sessionless":true}]}
//
// An entry with user_id revokes the user's access tokens issued before at, and
// those without a session also if issued in that second; with sessionless only
// the latter kind. A reader that does not know sessionless revokes too much.
//
// The cursor is a place in the database's feed (record.RevocationCursor), so any
// node behind a load balancer continues from it. One of another database, of a
// backup or of an earlier version gets everything, with complete true. The
// response waits for news at most wait seconds.

// SignatureHeader carries the signature of a page of the feed.
const signatureHeader = "Jotgate-Signature"

// maxWait bounds the wait parameter.
const maxWait = 25 * time.Second

// feedEntry is one revocation as the feed writes it.
type feedEntry struct {
	Session string        `json:"sid,omitempty"`
	User    record.UserID `json:"user_id,omitempty"`
	At      int64         `json:"at"` // Unix seconds
	// Sessionless: only tokens without a session are revoked.
	Sessionless bool `json:"sessionless,omitempty"`
}

// feedBody is a page of the feed.
type feedBody struct {
	Cursor   string `json:"cursor"`
	Complete bool   `json:"complete"` // everything in force is listed
	Keep     int64  `json:"keep"`     // seconds that an entry about a session stays in force after its time
	// KeepUsers is the same for an entry about a user: tokens of other issuers
	// may live longer than the gate's.
	KeepUsers int64       `json:"keep_users"`
	Revoked   []feedEntry `json:"revoked"`
}

// feedLog keeps what the feed serves, in order of arrival. Its methods are
// called under the lock of revocations; a nil log keeps nothing.
type feedLog struct {
	entries []loggedEntry
	waiting atomic.Int32 // requests that wait for news
}

type loggedEntry struct {
	feedEntry
	transaction int64
	issued      int64 // see revocations.add
}

func newFeedLog() *feedLog { return &feedLog{} }

func (l *feedLog) append(e record.Revocation, issued int64) {
	if l == nil {
		return
	}
	at := e.Made.Unix()
	if !e.NotBefore.IsZero() {
		at = e.NotBefore.Unix()
	}
	l.entries = append(l.entries, loggedEntry{feedEntry{e.Session, e.User, at, e.Sessionless}, e.Transaction, issued})
}

// sweep drops the entries about sessions and about users whose tokens were
// issued before the times.
func (l *feedLog) sweep(sessions, users int64) {
	if l == nil {
		return
	}
	kept := make([]loggedEntry, 0, len(l.entries))
	for _, e := range l.entries {
		if e.Session != "" && e.issued >= sessions || e.Session == "" && e.issued >= users {
			kept = append(kept, e)
		}
	}
	l.entries = kept
}

// since lists what the cursor has not seen, or everything. here is the place
// that this process has read to; ahead reports that the cursor has seen more.
func (l *feedLog) since(cursor string, here record.RevocationCursor) (body feedBody, ahead bool) {
	body = feedBody{Cursor: feedCursor(here), Revoked: []feedEntry{}}
	epoch, text, _ := strings.Cut(cursor, ".")
	seen, err := record.ParseHorizon(text)
	body.Complete = err != nil || seen.Max == 0 || epoch != here.Epoch || len(cursor) > maxCursor
	if ahead = !body.Complete && !here.Seen.Covers(seen); ahead {
		body.Complete = true
	}
	for _, e := range l.entries {
		if body.Complete || !seen.Sees(e.transaction) {
			body.Revoked = append(body.Revoked, e.feedEntry)
		}
	}
	return body, ahead
}

// maxCursor bounds a cursor, in bytes.
const maxCursor = 4096

// feedCursor is the cursor as Guards send it back. If very many transactions
// are running it forgets those that overtook the oldest of them: then some
// entries are listed twice.
func feedCursor(here record.RevocationCursor) string {
	text := here.Epoch + "." + here.Seen.String()
	if len(text) > maxCursor {
		text = here.Epoch + "." + record.Horizon{Min: here.Seen.Min, Max: here.Seen.Min}.String()
	}
	return text
}

// page returns what the cursor has not seen and a channel that is closed when
// there is more. ahead reports that this process has read less than the cursor
// has seen.
func (r *revocations) page(cursor string) (page feedBody, news <-chan struct{}, ahead bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	page, ahead = r.log.since(cursor, r.cursor)
	page.Keep, page.KeepUsers = r.lifetime, r.foreign
	return page, r.news, ahead
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
		page, err := g.nextPage(r)
		if err != nil {
			AsError(err).Respond(w, "")
			return
		}
		g.writeFeed(w, r, page)
	})
}

// maxWaiting is how many requests may wait for news, of a goroutine and a
// connection each.
const maxWaiting = 1024

// nextPage waits for news, as long as the client asks for.
func (g *Gate) nextPage(r *http.Request) (feedBody, error) {
	cursor := r.URL.Query().Get("since")
	seconds, _ := strconv.Atoi(r.URL.Query().Get("wait"))
	timeout := time.NewTimer(min(maxWait, time.Duration(max(0, seconds))*time.Second))
	defer timeout.Stop()
	waiting := &g.revoked.log.waiting
	defer waiting.Add(-1)
	if waiting.Add(1) > maxWaiting {
		return feedBody{}, ErrUnavailable.Because(fmt.Errorf("%d requests wait for the revocation feed", maxWaiting))
	}
	page, news, ahead := g.revoked.page(cursor)
	if ahead { // of this node, which polls; or of the database, if that is a backup
		if err := g.readRevocations(r.Context()); err != nil {
			return feedBody{}, err
		}
		page, news, _ = g.revoked.page(cursor)
	}
	for !page.Complete && len(page.Revoked) == 0 {
		select {
		case <-news:
		case <-timeout.C:
			return page, nil
		case <-r.Context().Done():
			return page, nil
		}
		page, news, _ = g.revoked.page(cursor)
	}
	return page, nil
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

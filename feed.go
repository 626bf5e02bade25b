package jotgate

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/jotgate/jotgate/jwt"
)

// The revocation feed over HTTP. A Guard without access to the database uses
// it to learn of each revocation within a second.
//
//	GET …?since=CURSOR&wait=SECONDS&nonce=TEXT
//	Jotgate-Signature: <token over the SHA-256 of the body, and the nonce>
//	{"cursor":"…","complete":false,"keep":301,"keep_users":2592001,"revoked":[
//	  {"sid":"…","at":1788947152},{"user_id":"7","at":…},{"user_id":"8","at":…,"sessionless":true}]}
//
// An entry with user_id revokes the user's access tokens issued before at,
// and also those without a session issued in that second; with sessionless
// only tokens without a session. A reader that does not know sessionless
// revokes more than it must.
//
// The cursor is a position in the database's feed (record.RevocationCursor),
// so any node behind a load balancer continues from it. For a cursor of
// another database, of a backup or of an earlier version, the response lists
// everything, with complete true. The response waits at most wait seconds for
// new revocations.

// signatureHeader is the response header with the signature of a page of the
// feed.
const signatureHeader = "Jotgate-Signature"

// maxWait bounds the wait parameter.
const maxWait = 25 * time.Second

// page returns the entries that the cursor has not seen and a channel that is
// closed when another entry is added. ahead reports that this process has
// read less than the cursor has seen.
func (r *revocations) page(cursor string) (page feedBody, news <-chan struct{}, ahead bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	page, ahead = r.log.since(cursor, r.cursor)
	page.Keep, page.KeepUsers = r.lifetime, r.foreign
	return page, r.news, ahead
}

// serveFeed makes r keep a log, so that it can be served. Call it before r is
// used.
func (r *revocations) serveFeed() { r.log = newFeedLog() }

// RevocationFeed returns a handler that serves the feed that Guards in other
// processes follow (GuardSettings.RevocationsURL). It reveals only the ids of
// sessions and users; serve it where only your services reach it. Unless
// Settings.ServeRevocations is set, it responds with 404.
func (ss Sessions) RevocationFeed() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ss.gate.revoked.log == nil {
			ErrNotFound.Respond(w, "")
			return
		}
		if ss.gate.RevocationAge() > ss.gate.settings.RevocationMaxAge {
			ErrUnavailable.Because(fmt.Errorf("the revocations are %v old", ss.gate.RevocationAge())).Respond(w, "")
			return
		}
		page, err := ss.gate.nextPage(r)
		if err != nil {
			AsError(err).Respond(w, "")
			return
		}
		ss.gate.writeFeed(w, r, page)
	})
}

// maxWaiting is how many requests may wait for a revocation; each holds a
// goroutine and a connection.
const maxWaiting = 1024

// nextPage waits for a revocation, for as long as the client asks for.
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
	if ahead { // of this node, which polls, or of the database, if it was restored from a backup
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

// writeFeed signs the page and the nonce, so that an old page cannot be
// replayed, and sends the page.
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

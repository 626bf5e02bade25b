package revocation

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

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/jotgate/jotgate/internal/stopping"
	"github.com/jotgate/jotgate/jwt"
)

// SignatureHeader is the response header with the signature of a page of the
// feed.
const SignatureHeader = "Jotgate-Signature"

// maxWait bounds the wait parameter.
const maxWait = 25 * time.Second

// maxWaiting is how many requests may wait for a revocation; each holds a
// goroutine and a connection.
const maxWaiting = 1024

// Served reports whether Settings.Served is set.
func (l *List) Served() bool { return l.log != nil }

// Followers returns how many readers of the feed wait for a revocation.
func (l *List) Followers() int { return int(l.log.waiting.Load()) }

// NextPage returns the entries that the cursor has not seen, which may be empty.
// It waits for a revocation, at most for the duration, at most 25 seconds and at
// most until the context ends or the server begins to stop. If the cursor has seen more than this list,
// NextPage calls read, which is to bring the list up to date. It returns an error
// if read does or if 1024 requests are waiting.
func (l *List) NextPage(ctx context.Context, cursor string, wait time.Duration, read func(context.Context) error) (Page, error) {
	timeout := time.NewTimer(min(maxWait, max(0, wait)))
	defer timeout.Stop()
	waiting := &l.log.waiting
	defer waiting.Add(-1)
	if waiting.Add(1) > maxWaiting {
		return Page{}, fmt.Errorf("%d requests wait for the revocation feed", maxWaiting)
	}
	stops := stopping.Done(ctx)
	page, added, ahead := l.page(cursor)
	if ahead { // of this node, which polls, or of the database, if it was restored from a backup
		if err := read(ctx); err != nil {
			return Page{}, err
		}
		page, added, _ = l.page(cursor)
	}
	for !page.Complete && len(page.Revoked) == 0 {
		select {
		case <-added:
		case <-timeout.C:
			return page, nil
		case <-ctx.Done():
			return page, nil
		case <-stops:
			return page, nil
		}
		page, added, _ = l.page(cursor)
	}
	return page, nil
}

// page returns the entries that the cursor has not seen and a channel that is
// closed when another entry is added. ahead reports that this process has
// read less than the cursor has seen.
func (l *List) page(cursor string) (page Page, added <-chan struct{}, ahead bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	page, ahead = l.log.page(cursor, func() (Page, bool) {
		page, ahead := l.log.since(cursor, l.cursor)
		page.Keep, page.KeepUsers = l.lifetime, l.foreign
		return page, ahead
	})
	return page, l.added, ahead
}

// signature are the claims of a page's signature.
type signature struct {
	TokenType string `json:"token_type"`
	Digest    string `json:"digest"`
	Nonce     string `json:"nonce"`
}

// Sign returns the body of a page, and its signature for SignatureHeader. The
// signature also covers the nonce of the request, so that an old page cannot be
// replayed.
func Sign(key *jwt.Key, page Page, nonce string, now time.Time) (body []byte, signature string, err error) {
	body, digest, err := page.encode()
	if err != nil {
		return nil, "", err
	}
	signature, err = jwt.Sign(key, jwt.Object{
		{Name: "token_type", Value: "revocations"},
		{Name: "exp", Value: now.Unix() + 60},
		{Name: "iat", Value: now.Unix()},
		{Name: "jti", Value: rand.Text()},
		{Name: "digest", Value: digest},
		{Name: "nonce", Value: nonce},
	})
	return body, signature, err
}

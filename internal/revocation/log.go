package revocation

// The entries that a feed serves.

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jotgate/jotgate/record"
)

// entry is one revocation in the format of the feed.
type entry struct {
	Session string        `json:"sid,omitempty"`
	User    record.UserID `json:"user_id,omitempty"`
	At      int64         `json:"at"` // Unix seconds
	// Sessionless limits the entry to tokens without a session.
	Sessionless bool `json:"sessionless,omitempty"`
}

// Page is a page of the feed.
type Page struct {
	Cursor   string `json:"cursor"`
	Complete bool   `json:"complete"` // all entries that are still needed are listed
	Keep     int64  `json:"keep"`     // seconds that an entry about a session is needed after its time
	// KeepUsers is the same for an entry about a user: tokens of other issuers
	// may have a longer lifetime than the gate's.
	KeepUsers int64   `json:"keep_users"`
	Revoked   []entry `json:"revoked"`

	shared *body // nil unless other requests can have the same page
}

// body is the text of a page, which is made at its first use.
type body struct {
	once   sync.Once
	text   []byte
	digest string
	err    error
}

// encode returns the text of the page and its digest.
func (p *Page) encode() ([]byte, string, error) {
	b := p.shared
	if b == nil {
		b = new(body)
	}
	b.once.Do(func() {
		b.text, b.err = json.Marshal(p)
		b.digest = digestOf(b.text)
	})
	return b.text, b.digest, b.err
}

func digestOf(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// log holds the entries that the feed serves, in order of arrival. The caller
// of its methods holds the lock of the List; a nil log holds nothing.
type log struct {
	entries []loggedEntry
	waiting atomic.Int32 // requests that wait for a revocation

	// Guards that follow the feed have the same cursor. So that a revocation costs
	// one page however many they are, the pages are kept until the list changes.
	pagesLock sync.Mutex
	pages     map[string]Page // by the cursor
}

// The most pages that are kept, and the longest, in entries. The page of all entries
// may be longer.
const (
	maxPages  = 64
	maxShared = 1000
)

// page returns the page for a cursor, which build makes.
func (l *log) page(cursor string, build func() (page Page, ahead bool)) (page Page, ahead bool) {
	l.pagesLock.Lock()
	defer l.pagesLock.Unlock()
	if page, ok := l.pages[cursor]; ok {
		return page, false
	}
	page, ahead = build()
	if cursor == "" || !page.Complete && len(page.Revoked) <= maxShared {
		page.shared = new(body)
		l.keep(cursor, page)
	}
	return page, ahead
}

func (l *log) keep(cursor string, page Page) {
	if len(l.pages) >= maxPages || l.pages == nil {
		l.pages = map[string]Page{}
	}
	l.pages[cursor] = page
}

// changed drops the pages that are kept.
func (l *log) changed() {
	if l != nil {
		l.pagesLock.Lock()
		defer l.pagesLock.Unlock()
		l.pages = nil
	}
}

type loggedEntry struct {
	entry
	transaction int64
	issued      int64 // see List.add
}

func (l *log) append(e record.Revocation, issued int64) {
	if l == nil {
		return
	}
	at := e.Made.Unix()
	if !e.NotBefore.IsZero() {
		at = e.NotBefore.Unix()
	}
	l.entries = append(l.entries, loggedEntry{entry{e.Session, e.User, at, e.Sessionless}, e.Transaction, issued})
}

// sweep drops the entries about sessions and about users whose tokens were
// issued before these times.
func (l *log) sweep(sessions, users int64) {
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

// since returns the entries that the cursor has not seen, or all of them. here
// is the position to which this process has read; ahead reports that the cursor
// has seen more.
func (l *log) since(cursor string, here record.RevocationCursor) (page Page, ahead bool) {
	page = Page{Cursor: cursorText(here), Revoked: []entry{}}
	epoch, text, _ := strings.Cut(cursor, ".")
	seen, err := record.ParseHorizon(text)
	page.Complete = err != nil || seen.Max == 0 || epoch != here.Epoch || len(cursor) > maxCursor
	if ahead = !page.Complete && !here.Seen.Covers(seen); ahead {
		page.Complete = true
	}
	for _, e := range l.entries {
		if page.Complete || !seen.Sees(e.transaction) {
			page.Revoked = append(page.Revoked, e.entry)
		}
	}
	return page, ahead
}

// maxCursor bounds a cursor, in bytes.
const maxCursor = 4096

// cursorText returns the cursor that Guards send back. If very many
// transactions are running, it omits those that overtook the oldest of them;
// then some entries are listed twice.
func cursorText(here record.RevocationCursor) string {
	text := here.Epoch + "." + here.Seen.String()
	if len(text) > maxCursor {
		text = here.Epoch + "." + record.Horizon{Min: here.Seen.Min, Max: here.Seen.Min}.String()
	}
	return text
}

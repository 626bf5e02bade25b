package faults

// What each client does, and what it must never see.

import (
	"crypto/rand"
	"slices"
	"time"

	"github.com/jotgate/jotgate/internal/wait"
)

// login returns tokens, or none.
func (l *load) login(name, password string) tokens {
	a := l.ask("login", "POST", "/api/token/", "", "username", name, "password", password)
	if a.status == 401 {
		l.fault("%s cannot log in: %v", name, a.body)
	}
	return tokens{a.text("access"), a.text("refresh")}
}

// refresh goes on with a session. Whose answer is lost asks again with the same token.
func (l *load) refresh(s *session) {
	began := time.Now()
	a := l.ask("refresh", "POST", "/api/token/refresh/", "", "refresh", s.Refresh)
	switch a.status {
	case 200:
		l.mu.Lock()
		s.tokens, s.last = tokens{a.text("access"), a.text("refresh")}, time.Now()
		l.mu.Unlock()
		check := l.ask("check", "GET", "/auth/check", s.Access)
		expired := time.Since(began) > l.lifetime-time.Second // exp has no fractions
		if check.status != 200 && check.status != 0 && !(check.status == 401 && expired) && !(check.status == 503 && l.duringStart(began)) {
			l.fault("a good access token was answered %d", check.status)
		}
	case 401:
		l.fault("a client was locked out: %v", a.body)
	}
}

// stranger guesses: alice's password, and a name that nobody has.
func (l *load) stranger(turn int) {
	name := "nobody " + rand.Text()
	if turn%20 == 0 {
		name = "alice"
	}
	if a := l.ask("bad login", "POST", "/api/token/", "", "username", name, "password", rand.Text()); a.status < 400 && a.status != 0 || a.text("access") != "" {
		l.fault("a wrong password was answered %d", a.status)
	}
}

// inAndOut logs in and out. After the answer to the logout nothing of the session may work.
func (l *load) inAndOut() {
	in := l.login("alice", password)
	if in.Refresh == "" {
		return
	}
	if out := l.ask("logout", "POST", "/api/token/blacklist/", "", "refresh", in.Refresh); out.status == 200 {
		l.mu.Lock()
		l.gone = append(l.gone, in)
		l.mu.Unlock()
	}
}

// ghost tries a session that was logged out.
func (l *load) ghost() {
	l.mu.Lock()
	if len(l.gone) == 0 {
		l.mu.Unlock()
		return
	}
	// Mostly the newest: that is where a race would be.
	dead := l.gone[len(l.gone)-1-min(len(l.gone)-1, int(time.Now().UnixNano()/1e6%5)*len(l.gone)/20)]
	l.mu.Unlock()
	if a := l.ask("dead refresh", "POST", "/api/token/refresh/", "", "refresh", dead.Refresh); a.status == 200 {
		l.fault("a session that was logged out was refreshed")
	}
}

// register makes an account; one that was answered is there.
func (l *load) register(name string) {
	a := l.ask("register", "POST", "/auth/users/", "", "username", name, "email", name+"@example.com", "password", password, "re_password", password)
	if a.status == 201 {
		l.mu.Lock()
		l.members[name] = password
		l.mu.Unlock()
	}
}

// change changes changer's password. candidates are those that may be in force: two, when a change was not answered.
func (l *load) change(turn int, candidates []string) []string {
	for _, current := range candidates {
		a := l.ask("changer's login", "POST", "/api/token/", "", "username", "changer", "password", current)
		switch a.status {
		case 200:
			return l.changeFrom(current, a.text("access"))
		case 401:
			candidates = slices.DeleteFunc(slices.Clone(candidates), func(c string) bool { return c == current })
		}
	}
	if len(candidates) == 0 {
		l.fault("none of changer's passwords works")
	}
	return candidates
}

func (l *load) changeFrom(current, access string) []string {
	next := rand.Text()
	switch a := l.ask("password change", "POST", "/auth/users/set_password/", access, "current_password", current, "new_password", next, "re_new_password", next); a.status {
	case 204:
		return []string{next}
	case 503, 0:
		return []string{current, next}
	}
	return []string{current}
}

// verify asks for everything that was answered; all of it must work now.
func (l *load) verify() {
	l.t.Helper()
	l.mu.Lock()
	members, gone := l.members, l.gone
	l.mu.Unlock()
	n := 0
	for name, password := range members {
		if name == "changer" { // its password is change's business
			continue
		}
		if n++; n > 50 {
			break
		}
		if got := l.login(name, password); got.Access == "" {
			l.fault("%s, whose registration was answered, cannot log in", name)
		}
	}
	for _, dead := range gone[max(0, len(gone)-100):] {
		l.isDead(dead)
	}
	for i, s := range l.live {
		if a := l.ask("last refresh", "POST", "/api/token/refresh/", "", "refresh", s.Refresh); a.status != 200 {
			l.fault("refresher %d cannot go on: %d %v", i, a.status, a.body)
		}
	}
	if len(gone) == 0 || len(members) < 3 {
		l.fault("the load did nothing: %d logouts, %d registrations", len(gone), len(members))
	}
	l.report()
}

// isDead tries both tokens of a session that was logged out.
func (l *load) isDead(dead tokens) {
	l.t.Helper()
	if a := l.ask("dead refresh", "POST", "/api/token/refresh/", "", "refresh", dead.Refresh); a.status != 401 {
		l.fault("the refresh token of a session that was logged out is answered %d", a.status)
	}
	if l.several {
		l.hears(dead)
	} else if a := l.ask("dead check", "GET", "/auth/check", dead.Access); a.status != 401 {
		l.fault("the access token of a session that was logged out is answered %d", a.status)
	}
}

// hears waits until the gate refuses the access token of a session that was logged out, maybe at another node.
func (l *load) hears(dead tokens) {
	l.t.Helper()
	began := time.Now()
	wait.Until(l.t, "the node refuses the access token of a session that was logged out", func() bool {
		return l.ask("dead check", "GET", "/auth/check", dead.Access).status == 401
	})
	if took := time.Since(began); took > heard {
		l.fault("the access token of a session that was logged out was accepted for %v", took)
	}
}

// recoversWithin waits until every kind of request works, ten times in a row, and says how long that took.
func (l *load) recoversWithin(limit time.Duration) time.Duration {
	l.t.Helper()
	began, good := time.Now(), 0
	var back time.Duration
	for good < 10 {
		in := l.login("alice", password)
		if in.Refresh != "" && l.ask("logout", "POST", "/api/token/blacklist/", "", "refresh", in.Refresh).status == 200 {
			good++
		} else {
			good = 0
		}
		if good == 1 {
			back = time.Since(began)
		}
		if good <= 1 && time.Since(began) > limit+answered {
			break
		}
	}
	if back > limit || good < 10 {
		l.fault("recovery took %v, more than %v", back, limit)
	}
	return back
}

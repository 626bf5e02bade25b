package jotgate

// Logins has the steps of a login, for programs and users that need more than
// Gate.Login: a second factor, a passkey, an enrolment, or authenticating again.
// Gate.Logins returns it. It is safe for concurrent use.
type Logins struct{ gate *Gate }

// Logins returns the steps of logins.
func (g *Gate) Logins() Logins { return Logins{g} }

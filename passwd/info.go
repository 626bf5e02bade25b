package passwd

// Describing a stored text without checking a password, for counts and lists.

const unusable = "unusable"

// An Info describes a stored text without its salt and digest.
type Info struct {
	// Algorithm is Django's name for it, such as "argon2", even if the text is
	// invalid or the name unknown; "unusable" for the result of Unusable; "" for
	// a text without a name.
	Algorithm string
	// Parameters are the cost, in the form that New reads, such as "600000" or
	// "m=19456,t=2,p=1,len=32". It is "" for algorithms that have none and for
	// invalid texts, except those that are only too costly.
	Parameters string
	// Valid reports whether the text is well-formed and within the package's
	// bounds, so that some password may match. A Hasher can have lower limits:
	// see [Hasher.TooCostly].
	Valid bool
	// Retired reports an algorithm that Django no longer makes. Its hashes do
	// not protect a password once the database is stolen.
	Retired bool
}

// Identify describes encoded.
func Identify(encoded string) Info {
	if !IsUsable(encoded) {
		return Info{Algorithm: unusable}
	}
	info := Info{Algorithm: identify(encoded)}
	stored, err := parse(encoded)
	if stored.algorithm == "" {
		return info
	}
	a := stored.kind()
	_, makes := a.(maker)
	info.Valid, info.Retired, info.Parameters = err == nil, !makes, a.parameters(stored.recipe)
	return info
}

// String returns a name to count by: the algorithm with its parameters, "unusable"
// for the result of Unusable, or "broken" for an invalid text.
func (i Info) String() string {
	switch {
	case i.Algorithm == unusable:
		return unusable
	case i.Parameters != "":
		return i.Algorithm + ":" + i.Parameters
	case !i.Valid:
		return "broken"
	}
	return i.Algorithm
}

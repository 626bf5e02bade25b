package passwd

// Describing a stored text without checking a password, for counts and lists.

const unusable = "unusable"

// An Info describes a stored text without its salt and digest. It contains no secret.
type Info struct {
	// Algorithm is the name of the algorithm in the text, such as "argon2", even if
	// the rest is invalid or the name is unknown. It is "unusable" for the result of
	// Unusable, and "" for a text without a name.
	Algorithm string
	// Parameters are the parameters in the form that New reads, such as "600000" or
	// "m=19456,t=2,p=1,len=32". It is "" for an algorithm without parameters, and for
	// an invalid text unless it is invalid only because it is too costly.
	Parameters string
	// Valid reports whether the text is well-formed and within the package's
	// bounds, so that some password may match. A Hasher can have lower limits:
	// see [Hasher.TooCostly].
	Valid bool
	// Retired reports whether Make never uses the algorithm, because it is too weak:
	// such a hash does not protect the password if the database is stolen.
	Retired bool
}

// Identify returns what the stored text encoded shows without a password. It does no
// costly work.
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

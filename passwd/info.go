package passwd

// What a stored text is, without checking a password: for counting and showing.

const unusable = "unusable"

// An Info describes a stored text without its salt and digest.
type Info struct {
	// Algorithm is Django's name for it, such as "argon2", or whatever stands
	// before the first "$"; "unusable" for what Unusable makes. It is "" where
	// nothing can be told.
	Algorithm string
	// Parameters are the work, in the form that New reads, such as "600000" or
	// "m=19456,t=2,p=1,len=32". It is "" for algorithms without.
	Parameters string
	// Valid reports whether the text is well-formed and within bounds, so that
	// some password may match.
	Valid bool
}

// Identify tells what encoded is.
func Identify(encoded string) Info {
	if !IsUsable(encoded) {
		return Info{Algorithm: unusable}
	}
	info := Info{Algorithm: identify(encoded)}
	stored, err := parse(encoded)
	if err != nil {
		return info
	}
	info.Valid = true
	if setting := algorithms[stored.algorithm].setting; setting != nil {
		info.Parameters = setting(stored.recipe)
	}
	return info
}

// String names the kind for a count: the algorithm with its parameters,
// "unusable" for what Unusable makes, or "broken".
func (i Info) String() string {
	switch {
	case i.Algorithm == unusable:
		return unusable
	case !i.Valid:
		return "broken"
	case i.Parameters == "":
		return i.Algorithm
	}
	return i.Algorithm + ":" + i.Parameters
}

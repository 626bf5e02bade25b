package postgres

import (
	"context"
	"errors"
	"strings"
)

// reasons are what store.Driver.Reason says, by the first characters of the
// SQLSTATE.
var reasons = []struct{ code, reason string }{
	{"25006", "the database is read-only"},
	{"53100", "the database has no room left on its disk"},
	{"53300", "the database has too many connections"},
	{"57P03", "the database is starting or shutting down"},
	{"57P", "the database is shutting down"},
	{"57014", "the database did not respond in time"},
	{"55P03", "the database is busy"},
	{"28", "the database refuses the user"},
	{"42501", "the database denies this user a right"},
	{"42P01", "a table is missing"},
	{"3D000", "the database does not exist"},
	{"08", "the database cannot be reached"},
}

// reason is store.Driver.Reason.
func reason(err error) string {
	c := code(err)
	for _, r := range reasons {
		if strings.HasPrefix(c, r.code) {
			return r.reason
		}
	}
	return withoutCode(err)
}

func withoutCode(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "the database did not respond in time"
	case code(err) == "":
		return "the database cannot be reached"
	}
	return "the database does not accept changes"
}

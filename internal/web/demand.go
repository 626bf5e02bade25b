package web

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/jotgate/jotgate"
)

// isLevel is the form of an acr that can be quoted in WWW-Authenticate. It has at most
// 64 bytes.
var isLevel = regexp.MustCompile(`^[!#-\[\]-~]+$`)

// Demand returns what a parameter of a check for gateways demands: acr is a level of
// authentication, max_age the seconds since the user authenticated. The error, for other
// parameters and for values without a meaning, is for the operator of the gateway.
func Demand(name, value string) (jotgate.Requirement, error) {
	switch name {
	case "acr":
		if len(value) <= 64 && isLevel.MatchString(value) {
			return jotgate.ACR(value), nil
		}
	case "max_age":
		if seconds, err := strconv.ParseUint(value, 10, 31); err == nil && seconds > 0 {
			return jotgate.Fresh(time.Duration(seconds) * time.Second), nil
		}
	}
	return jotgate.Requirement{}, fmt.Errorf("the parameter %q of the check is unknown or its value is not valid", name)
}

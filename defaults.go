package jotgate

// The defaults of settings, and their check.

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/passwd/strength"
	"github.com/jotgate/jotgate/trace"
)

// fill sets the defaults and returns an error for settings that are invalid
// or contradict each other.
func (s *Settings) fill() error {
	s.AccessTokenLifetime = cmp.Or(s.AccessTokenLifetime, 5*time.Minute).Truncate(time.Second)
	s.ForeignTokenLifetime = cmp.Or(s.ForeignTokenLifetime, max(30*24*time.Hour, s.AccessTokenLifetime)).Truncate(time.Second)
	s.RefreshTokenLifetime = cmp.Or(s.RefreshTokenLifetime, 24*time.Hour).Truncate(time.Second)
	if s.SessionLifetime = cmp.Or(s.SessionLifetime, max(30*24*time.Hour, s.RefreshTokenLifetime)); s.SessionLifetime > 0 {
		s.SessionLifetime = s.SessionLifetime.Truncate(time.Second)
	}
	s.RefreshGrace = max(0, cmp.Or(s.RefreshGrace, 10*time.Second))
	s.PasswordResetTimeout = cmp.Or(s.PasswordResetTimeout, 72*time.Hour)
	s.EmailLimit = cmp.Or(s.EmailLimit, 5)
	s.RevocationMaxAge = cmp.Or(s.RevocationMaxAge, 10*time.Second)
	s.EventRetention = cmp.Or(s.EventRetention, 90*24*time.Hour)
	s.RememberCredentials = max(2, cmp.Or(s.RememberCredentials, 10_000))
	s.UserIDClaim = cmp.Or(s.UserIDClaim, "user_id")
	s.UserIDField = cmp.Or(s.UserIDField, "id")
	s.LoginField = cmp.Or(s.LoginField, "username")
	s.RevokeTokenClaim = cmp.Or(s.RevokeTokenClaim, "hash_password")
	s.TimeZone = cmp.Or(s.TimeZone, time.UTC)
	s.RequireMFA = cmp.Or(s.RequireMFA, MFANone)
	s.TOTPGrace = min(max(0, cmp.Or(s.TOTPGrace, 15*time.Second)), 30*time.Second)
	s.StepUpLifetime = cmp.Or(s.StepUpLifetime, 10*time.Minute)
	s.Logger = tracing(s.Logger)
	s.Hasher = cmp.Or(s.Hasher, &passwd.Hasher{})
	if len(s.HashLimits) > 0 {
		var err error
		if s.Hasher, err = s.Hasher.WithLimits(s.HashLimits...); err != nil {
			return fmt.Errorf("HashLimits: %w", err)
		}
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	if len(s.HeaderTypes) == 0 {
		s.HeaderTypes = []string{"Bearer", "Token"}
	}
	if s.PasswordRules == nil {
		s.PasswordRules = strength.Default()
	}
	if s.Claims == nil {
		s.Claims = standardClaims()
	}
	return s.check()
}

// tracing returns the logger, or the default one, with lines that have the ids of the
// request.
func tracing(log *slog.Logger) *slog.Logger {
	return slog.New(trace.Handler(cmp.Or(log, slog.Default()).Handler()))
}

func (s *Settings) check() error {
	switch {
	case s.SecretKey == "":
		return errors.New("SecretKey is empty")
	case s.AccessTokenLifetime < time.Second:
		return errors.New("AccessTokenLifetime is under a second")
	case s.ForeignTokenLifetime < s.AccessTokenLifetime:
		return errors.New("ForeignTokenLifetime is shorter than AccessTokenLifetime")
	case s.RefreshTokenLifetime < s.AccessTokenLifetime:
		return errors.New("RefreshTokenLifetime is shorter than AccessTokenLifetime")
	case s.SessionLifetime >= 0 && s.SessionLifetime < s.AccessTokenLifetime:
		return errors.New("SessionLifetime is shorter than AccessTokenLifetime")
	case s.KeyRotation != 0 && s.KeyRotation < time.Hour:
		return errors.New("KeyRotation is under an hour")
	case s.RequireMFA != MFANone && s.RequireMFA != MFAStaff && s.RequireMFA != MFAAll:
		return fmt.Errorf("RequireMFA is %q: it must be none, staff or all", s.RequireMFA)
	case s.MFAGrace < 0 || s.TrustedBrowser < 0 || s.StepUpLifetime < 0:
		return errors.New("MFAGrace, TrustedBrowser and StepUpLifetime cannot be negative")
	case s.PasswordMinLengthWithoutMFA < 0 || s.PasswordMinLengthWithoutMFA > passwd.MaxPassword:
		return fmt.Errorf("PasswordMinLengthWithoutMFA is %d: it must be 0 to %d", s.PasswordMinLengthWithoutMFA, passwd.MaxPassword)
	case s.UserIDField != "id" && s.UserIDField != "username":
		return fmt.Errorf("UserIDField is %q: it must be id or username", s.UserIDField)
	}
	for _, c := range s.Claims {
		if factNamed(c) == nil {
			return fmt.Errorf("Claims contains %q: it may contain %s", c, strings.Join(ClaimNames(), ", "))
		}
	}
	return nil
}

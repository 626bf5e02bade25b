package jotgate

import (
	"testing"

	"github.com/jotgate/jotgate/provider"
)

// Every cell of the table of account linking. Only an address that both sides have
// proved connects, and only if the operator wants that.
func TestDecideLink(t *testing.T) {
	for _, c := range []struct {
		local                 addressState
		vouched, linkVerified bool
		want                  ProviderLink
	}{
		{addressNone, false, false, LinkSignUp},
		{addressNone, false, true, LinkSignUp},
		{addressNone, true, false, LinkSignUp},
		{addressNone, true, true, LinkSignUp},
		{addressUnknown, false, false, LinkSignIn},
		{addressUnknown, false, true, LinkSignIn},
		{addressUnknown, true, false, LinkSignIn},
		{addressUnknown, true, true, LinkSignIn},
		{addressUnverified, false, false, LinkSignIn},
		{addressUnverified, false, true, LinkSignIn},
		{addressUnverified, true, false, LinkReset},
		{addressUnverified, true, true, LinkReset},
		{addressVerified, false, false, LinkSignIn},
		{addressVerified, false, true, LinkSignIn},
		{addressVerified, true, false, LinkSignIn},
		{addressVerified, true, true, linkConnect},
	} {
		if got := decideLink(c.local, c.vouched, c.linkVerified); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

// A proof of a provider is a first step only: it is no second factor, and it does not
// raise the level of a session.
func TestProviderProofIsAFirstStep(t *testing.T) {
	proof := providerProof{identity: provider.Identity{Provider: "google", UID: "1"}}
	if provesSecond(proof) || isSecond(methodProvider) {
		t.Error("a provider counts as a second factor")
	}
	if isTwoFactors([]proved{{Method: methodProvider}}) || isTwoFactors([]proved{{Method: methodProvider}, {Method: methodEmail}}) {
		t.Error("a provider counts as two factors")
	}
	if !isTwoFactors([]proved{{Method: methodProvider, Both: true}}) || !isTwoFactors([]proved{{Method: methodProvider}, {Method: methodTOTP}}) {
		t.Error("a provider with a second factor does not count as two")
	}
	for name, l := range map[string]*login{"a later step": {done: []proved{{Method: methodPassword}}}, "authenticating again": {stepUp: true}, "a login that goes on": {pending: &pendingLogin{}}} {
		if _, err := proof.prove(t.Context(), nil, l); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

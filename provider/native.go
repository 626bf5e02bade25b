package provider

// ID tokens that an app got from the provider's SDK.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
)

// NativeTime is the longest time for which VerifyNative accepts an ID token: a record of
// used tokens needs to be kept no longer.
const NativeTime = FlowTime + 2*leeway

const (
	minNonce = 16      // bytes: an app takes a random nonce for each sign-in
	maxNonce = 256     // bytes
	maxToken = 8 << 10 // bytes
)

// Native reports whether VerifyNative can succeed: whether Settings.NativeClientIDs
// lists an app.
func (p *Provider) Native() bool { return len(p.settings.NativeClientIDs) > 0 }

// VerifyNative verifies an ID token that an app got from the provider's SDK, as Finish
// does, except that the audience must be one of Settings.NativeClientIDs. nonce has 16 to
// 256 bytes. The app gave the SDK either the nonce or, as is usual with Apple, its
// SHA-256 in hexadecimal. The caller makes sure that each token is used once; no token is
// accepted for longer than NativeTime. Every error is an *Error.
func (p *Provider) VerifyNative(ctx context.Context, idToken, nonce string) (Verified, error) {
	if !p.Native() {
		return Verified{}, failed(Denied, errors.New("native_client_ids lists no app of this provider"))
	}
	if len(idToken) > maxToken || len(nonce) < minNonce || len(nonce) > maxNonce {
		return Verified{}, invalid("the ID token or the nonce is too long, or the nonce is shorter than 16 bytes")
	}
	m, err := p.metadata(ctx)
	if err != nil {
		return Verified{}, err
	}
	token, err := m.nativeTokens.Verify(idToken)
	if err != nil {
		return Verified{}, tokenError("the ID token", err)
	}
	digest := sha256.Sum256([]byte(nonce))
	clients := append([]string{p.settings.ClientID}, p.settings.NativeClientIDs...)
	if err := p.checkIDToken(&token, clients, nonce, hex.EncodeToString(digest[:])); err != nil {
		return Verified{}, err
	}
	identity, err := p.identity(claims{token: token.Payload()})
	if err != nil {
		return Verified{}, err
	}
	return Verified{&identity}, nil
}

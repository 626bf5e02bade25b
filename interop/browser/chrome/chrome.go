// Package chrome runs Debian's Chromium without a window, with virtual authenticators, for tests.
package chrome

import (
	"context"
	"os"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"github.com/jotgate/jotgate/internal/tempdir"
	"github.com/jotgate/jotgate/internal/wait"
)

// A Page is a tab of a browser that ends with the test. An action that hangs ends the test after wait.Limit.
type Page struct {
	tb           testing.TB
	ctx, browser context.Context
}

// Open starts a browser and opens an address in it.
func Open(tb testing.TB, address string) *Page {
	tb.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.WSURLReadTimeout(wait.Limit),
		chromedp.Env("TMPDIR="+tempdir.New(tb))) // for the files that it leaves behind
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	browser, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	tb.Cleanup(cancel)
	browser, cancel = chromedp.NewContext(browser)
	tb.Cleanup(cancel)
	p := newPage(tb, browser, browser)
	p.Do(chromedp.Navigate(address))
	return p
}

// newPage opens the tab of a context. The first action is without a limit, with which the tab would end.
func newPage(tb testing.TB, ctx, browser context.Context) *Page {
	tb.Helper()
	if err := chromedp.Do(ctx); err != nil {
		tb.Fatal(err)
	}
	return &Page{tb, ctx, browser}
}

// limited returns the context of an action.
func (p *Page) limited() (context.Context, context.CancelFunc) {
	return context.WithTimeout(p.ctx, wait.Limit)
}

// Fresh opens a tab without cookies in the same browser, which ends with tb. Without script, its pages run none.
func (p *Page) Fresh(tb testing.TB, script bool) *Page {
	tb.Helper()
	ctx, cancel := chromedp.NewContext(p.browser, chromedp.WithNewBrowserContext())
	tb.Cleanup(cancel)
	fresh := newPage(tb, ctx, p.browser)
	if !script {
		call(fresh, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	}
	return fresh
}

// Ends waits until the page that has been loaded last satisfies is, which gets its address and its HTML, and returns both.
// It follows redirects and refreshes.
func (p *Page) Ends(is func(address, html string) bool) (address, html string) {
	p.tb.Helper()
	found := false
	defer func() {
		if !found {
			p.tb.Logf("the browser is at %s:\n%s", address, html)
		}
	}()
	wait.Until(p.tb, "the page is the right one", func() bool {
		ctx, cancel := p.limited()
		defer cancel()
		address, _ = chromedp.Run(ctx, chromedp.Location())
		html, _ = chromedp.Run(ctx, chromedp.OuterHTML(chromedp.CSS("html"))) // fails while a page is left
		found = is(address, html)
		return found
	})
	return address, html
}

// Do runs steps.
func (p *Page) Do(steps ...chromedp.Action[chromedp.Void]) {
	p.tb.Helper()
	ctx, cancel := p.limited()
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.tb.Fatal(err)
	}
}

// Eval returns the value of an expression, or of the promise that it returns.
func Eval[T any](p *Page, expression string) T {
	p.tb.Helper()
	ctx, cancel := p.limited()
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.tb.Fatalf("%s: %v", expression, err)
	}
	return v
}

// Until waits until an expression is true.
func (p *Page) Until(expression string) {
	p.tb.Helper()
	wait.Until(p.tb, expression, func() bool { return Eval[bool](p, "!!("+expression+")") })
}

// An Authenticator is a virtual authenticator of a page: it agrees to every request.
type Authenticator struct {
	page *Page
	id   webauthn.AuthenticatorID
}

// Authenticator adds one that is built into the device, stores passkeys and verifies its user. change may be nil.
func (p *Page) Authenticator(change func(*webauthn.VirtualAuthenticatorOptions)) *Authenticator {
	p.tb.Helper()
	options := webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Ctap2version: webauthn.Ctap2versionCtap21, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}
	if change != nil {
		change(&options)
	}
	call(p, webauthn.Enable, webauthn.EnableParams{})
	added := call(p, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &options})
	return &Authenticator{p, added.AuthenticatorID}
}

// Credentials returns the passkeys that the authenticator has.
func (a *Authenticator) Credentials() []*webauthn.Credential {
	a.page.tb.Helper()
	return call(a.page, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: a.id}).Credentials
}

// Verifies sets whether the authenticator verifies its user.
func (a *Authenticator) Verifies(yes bool) {
	a.page.tb.Helper()
	call(a.page, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: a.id, IsUserVerified: yes})
}

// Present sets whether the authenticator agrees to requests, or leaves them pending.
func (a *Authenticator) Present(yes bool) {
	a.page.tb.Helper()
	call(a.page, webauthn.SetAutomaticPresenceSimulation, webauthn.SetAutomaticPresenceSimulationParams{AuthenticatorID: a.id, Enabled: yes})
}

// Sync makes a passkey one that is on several devices.
func (a *Authenticator) Sync(credential []byte) {
	a.page.tb.Helper()
	yes := true
	call(a.page, webauthn.SetCredentialProperties, webauthn.SetCredentialPropertiesParams{
		AuthenticatorID: a.id, CredentialID: credential, BackupEligibility: &yes, BackupState: &yes,
	})
}

// SetCount sets the counter of a passkey, as a copy of the device would have it.
func (a *Authenticator) SetCount(credential []byte, count float64) {
	a.page.tb.Helper()
	call(a.page, webauthn.SetCredentialProperties, webauthn.SetCredentialPropertiesParams{
		AuthenticatorID: a.id, CredentialID: credential, SignCount: &count,
	})
}

func call[P, R any](p *Page, command cdp.Command[P, R], params P) R {
	p.tb.Helper()
	ctx, cancel := p.limited()
	defer cancel()
	result, err := chromedp.Call(ctx, command, params)
	if err != nil {
		p.tb.Fatalf("%s: %v", command.Method, err)
	}
	return result
}

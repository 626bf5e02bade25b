package api

import (
	"net/http"

	"github.com/jotgate/jotgate"
)

// routes lists all endpoints. A path with a trailing slash is also served without
// it. Names and descriptions appear in the response to OPTIONS.
func (a *API) routes() []route {
	login := a.loginName
	all := []route{
		// SimpleJWT.
		{
			path: "/api/token/", name: "Token Obtain Pair", about: "Takes a set of user credentials and returns an access and refresh JSON web\n" +
				"token pair to prove the authentication of those credentials.",
			post: on(200, open, loginFields, tokenObtain).in("login"),
		},
		{
			path: "/api/token/refresh/", name: "Token Refresh", about: "Exchanges a refresh token for a new access token and a new refresh token.",
			post: on(200, open, refreshFields, tokenRefresh).in("refresh"),
		},
		{
			path: "/api/token/verify/", name: "Token Verify", about: "Reports whether a token is valid, whatever its type.",
			post: on(200, open, verifyFields, tokenVerify).in("refresh"),
		},
		{
			path: "/api/token/blacklist/", name: "Token Blacklist", about: "Ends the session of a refresh token.",
			post: on(200, open, refreshFields, tokenBlacklist).in("refresh"),
		},
		// The further steps of a login, which SimpleJWT does not have.
		{path: "/api/token/mfa/", name: "Token MFA", post: on(200, open, mfaFields, tokenMFA).in("login")},
		{path: "/api/token/enrol/", name: "Token Enrol", post: on(200, open, enrolFields, tokenEnrol).in("login")},
		{path: "/api/token/enrol/confirm/", name: "Token Enrol Confirm", post: on(200, open, enrolConfirmFields, tokenEnrolConfirm).in("login")},
		{
			path: "/api/token/enrol/passkey/options/", name: "Token Enrol Passkey Options", about: "Begins to register a passkey in a login that requires a second factor.",
			post: on(200, open, enrolFields, tokenEnrolPasskeyOptions).in("login"), only: hasPasskeys,
		},
		{
			path: "/api/token/enrol/passkey/", name: "Token Enrol Passkey", about: "Registers a passkey and returns an access and refresh JSON web token pair.",
			post: on(200, open, newPasskeyFields, tokenEnrolPasskey).in("login"), only: hasPasskeys,
		},
		{path: "/api/token/password/", name: "Token Password", post: on(200, open, newPasswordFields, tokenPassword).in("login")},
		// Passkeys.
		{
			path: "/api/token/passkey/options/", name: "Token Passkey Options", about: "Begins a login with a passkey.",
			post: on(200, open, passkeyOptionsFields, tokenPasskeyOptions).in("login"), only: hasPasskeys,
		},
		{
			path: "/api/token/passkey/", name: "Token Passkey", about: "Takes the credential of a passkey and returns an access and refresh JSON web token pair.",
			post: on(200, open, passkeyFields, tokenPasskey).in("login"), only: hasPasskeys,
		},
		// Codes by e-mail.
		{
			path: "/api/token/code/", name: "Token Code", about: "Sends a code to an e-mail address.",
			post: on(202, open, emailFields, tokenCode).in("email"), only: hasLoginCodes,
		},
		{
			path: "/api/token/code/confirm/", name: "Token Code Confirm", about: "Takes the code and returns an access and refresh JSON web token pair.",
			post: on(200, open, tokenCodeFields, tokenCodeConfirm).in("login"), only: hasLoginCodes,
		},
		// Providers.
		{
			path: "/api/token/provider/", name: "Token Provider", about: "Takes an ID token of a provider and returns an access and refresh JSON web token pair.",
			post: on(200, open, tokenProviderFields, tokenProvider).in("login"), only: hasNativeProviders,
		},
		{
			path: "/api/token/provider/code/", name: "Token Provider Code", about: "Takes the code of a login with a provider and returns an access and refresh JSON web token pair.",
			post: on(200, open, providerCodeFields, tokenProviderCode).in("login"), only: hasProviderApps,
		},
		{path: "/.well-known/webauthn", get: raw, raw: relatedOrigins, only: hasRelatedOrigins},

		// Django REST framework's authtoken.
		{path: "/api-token-auth/", name: "Obtain Auth Token", post: on(200, open, authTokenFields, authToken).in("login")},

		// djoser.
		{path: "/auth/", name: "Api Root", about: "The default basic root view for DefaultRouter", get: read(open, authRoot)},
		{path: "/auth/jwt/create/", name: "Token Obtain Pair", post: on(200, open, loginFields, tokenObtain).in("login")},
		{path: "/auth/jwt/refresh/", name: "Token Refresh", post: on(200, open, refreshFields, tokenRefresh).in("refresh")},
		{path: "/auth/jwt/verify/", name: "Token Verify", post: on(200, open, verifyFields, tokenVerify).in("refresh")},
		{
			path: "/auth/users/", name: "User List", access: member, shown: shownUser,
			get: read(member, userList).with(jotgate.ScopeAccount), post: a.signup().in("register"),
		},
		{
			path: "/auth/users/{id}/", name: "User Instance", access: member,
			get: read(member, userShow).with(jotgate.ScopeAccount), put: on(200, member, replaceFields, userChange).in("email"), patch: on(200, member, patchFields, userChange).in("email"),
			remove: on(204, member, confirmFields, userDelete),
		},
		{
			path: "/auth/users/me/", name: "User Me", access: member,
			get: read(member, meShow).with(jotgate.ScopeAccount), put: on(200, member, replaceFields, meChange).in("email"), patch: on(200, member, patchFields, meChange).in("email"),
			remove: on(204, member, confirmFields, meDelete),
		},
		{path: "/auth/users/activation/", name: "User Activation", access: anyone, post: on(204, anyone, linkFields, activation).in("links")},
		{path: "/auth/users/resend_activation/", name: "User Resend Activation", access: anyone, post: on(204, anyone, emailFields, resendActivation).in("email")},
		{path: "/auth/users/set_password/", name: "User Set Password", access: member, post: on(204, member, setPasswordFields, setPassword).in("email")},
		{path: "/auth/users/reset_password/", name: "User Reset Password", access: anyone, post: on(204, anyone, emailFields, resetPassword).in("email")},
		{path: "/auth/users/reset_password_confirm/", name: "User Reset Password Confirm", access: anyone, post: on(204, anyone, resetPasswordFields, resetPasswordConfirm).in("links")},
		{path: "/auth/users/set_" + login + "/", name: "User Set Username", access: member, post: on(204, member, setUsernameFields, setUsername).in("email")},
		{path: "/auth/users/reset_" + login + "/", name: "User Reset Username", access: anyone, post: on(204, anyone, emailFields, resetUsername).in("email")},
		{path: "/auth/users/reset_" + login + "_confirm/", name: "User Reset Username Confirm", access: anyone, post: on(204, anyone, resetUsernameFields, resetUsernameConfirm).in("links")},

		// jotgate's own.
		{path: "/auth/users/email_change_confirm/", name: "User Email Change Confirm", access: anyone, post: on(204, anyone, linkFields, emailChangeConfirm).in("links")},
		{path: "/auth/users/email_change_undo/", name: "User Email Change Undo", access: anyone, post: on(204, anyone, linkFields, emailChangeUndo).in("links")},
		{path: "/auth/sessions/", name: "Session List", access: member, get: read(member, sessionList).with(jotgate.ScopeAccount), remove: read(member, sessionsEnd).with(jotgate.ScopeAccount).in("login")},
		{path: "/auth/sessions/{id}/", name: "Session Instance", access: member, remove: read(member, sessionEnd).with(jotgate.ScopeAccount).in("login")},
		{path: "/auth/again/", name: "Authenticate Again", access: member, post: on(200, member, againFields, again).in("login")},
		{path: "/auth/again/passkey/options/", name: "Authenticate Again Options", access: member, post: read(member, againOptions), only: hasPasskeys},
		{path: "/auth/again/passkey/", name: "Authenticate Again With Passkey", access: member, post: on(200, member, passkeyFields, againPasskey).in("login"), only: hasPasskeys},
		{path: "/auth/factors/", name: "Factor List", access: member, get: read(member, factorList).with(jotgate.ScopeAccount)},
		{path: "/auth/factors/totp/", name: "TOTP", access: member, post: read(member, totpBegin).in("login")},
		{path: "/auth/factors/totp/confirm/", name: "TOTP Confirm", access: member, post: on(201, member, totpConfirmFields, totpConfirm).in("login")},
		{path: "/auth/factors/recovery-codes/", name: "Recovery Codes", access: member, post: read(member, recoveryCodes).in("login")},
		{
			path: "/auth/factors/passkeys/", name: "Passkey List", access: member, only: hasPasskeys,
			get: read(member, passkeyList).with(jotgate.ScopeAccount), post: on(201, member, newPasskeyFields, passkeyAdd).in("login"),
		},
		{
			path: "/auth/factors/passkeys/options/", name: "Passkey Options", access: member, only: hasPasskeys,
			post: on(200, member, passkeyUseFields, passkeyBegin).in("login"),
		},
		{path: "/auth/factors/passkeys/{id}/", name: "Passkey Instance", access: member, only: hasPasskeys, patch: on(200, member, passkeyNameFields, passkeyRename).in("login")},
		{path: "/auth/factors/{id}/", name: "Factor Instance", access: member, remove: read(member, factorRemove).in("login")},
		{path: "/auth/users/{id}/reset_factors/", name: "User Reset Factors", access: member, post: on(202, member, resetFields, factorsReset).in("email")},
		{
			path: "/auth/api-keys/", name: "API Key List", access: member, only: hasAPIKeys,
			get: read(member, apiKeyList).with(jotgate.ScopeAccount), post: on(201, member, apiKeyFields, apiKeyCreate).in("login"),
		},
		{path: "/auth/api-keys/token/", name: "API Key Token", access: keyed, only: hasAPIKeys, post: read(keyed, apiKeyExchange)},
		{path: "/auth/api-keys/{id}/", name: "API Key Instance", access: member, only: hasAPIKeys, remove: read(member, apiKeyRevoke).in("login")},
		{path: "/auth/api-keys/{id}/rotate/", name: "API Key Rotate", access: member, only: hasAPIKeys, post: on(201, member, rotateFields, apiKeyRotate).in("login")},
		// OAuth 2, for service accounts, with the paths of django-oauth-toolkit.
		{
			path: "/o/token/", name: "OAuth Token", about: "Takes the credentials of a client and returns an access token (RFC 6749).",
			post: oauthAction(tokenFields, oauthToken), only: hasOAuth, render: renderOAuth,
		},
		{
			path: "/o/introspect/", name: "OAuth Introspect", about: "Reports what an access token says (RFC 7662).",
			post: oauthAction(introspectFields, oauthIntrospect), only: hasOAuth, render: renderOAuth,
		},
		{
			path: "/o/revoke/", name: "OAuth Revoke", about: "Revokes an access token of the client (RFC 7009).",
			post: oauthAction(introspectFields, oauthRevoke), only: hasOAuth, render: renderOAuth,
		},

		{path: "/auth/events/", name: "Event List", access: member, get: read(member, eventFeed).with(scopeEvents)},
		{path: "/auth/logout/", name: "Logout", access: member, post: read(member, logout).byActor()},
		{path: "/auth/check", get: raw, fast: check},
		{path: "/auth/revocations", get: raw, raw: revocations, scope: "revocations", only: servesRevocations},
		{path: "/.well-known/jwks.json", get: raw, raw: jwks},
		{path: "/.well-known/oauth-authorization-server", get: raw, raw: authorizationServer, only: hasOAuth, inserted: (*API).issuer},
		{path: "/.well-known/oauth-protected-resource", get: raw, raw: protectedResource, only: hasOAuth, inserted: (*API).baseURL},
		{path: "/livez", get: raw, raw: livez, probe: true},
		{path: "/readyz", get: raw, raw: readyz, probe: true},
		{path: "/api/schema/", get: raw, raw: schema, page: true, only: showsSchema},
		{path: "/api/docs/", get: raw, raw: docs, page: true, only: showsSchema},
		{path: "/api/docs/{file}", get: raw, raw: docs, page: true, only: showsSchema},
	}
	offered := all[:0]
	for _, r := range all {
		if r.only == nil || r.only(a) {
			offered = append(offered, r)
		}
	}
	return offered
}

// raw marks the methods of a route whose handler is route.raw or route.fast.
var raw = &action{}

// getOnly passes GET and HEAD to the handler, and responds with 405 to other
// methods.
func (a *API) getOnly(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			a.shell.Respond(w, r, methodNotAllowed(r.Method), "")
			return
		}
		next(w, r)
	})
}

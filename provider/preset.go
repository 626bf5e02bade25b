package provider

import (
	"maps"
	"slices"
)

// A preset is what is known of a provider.
type preset struct {
	name                           string
	issuer                         string // of OpenID Connect
	authURL, tokenURL, userInfoURL string // of OAuth 2
	emailsURL                      string // GitHub's list of addresses
	scopes                         []string
	formPost                       bool              // the provider posts a form to the callback
	vouches                        bool              // email_verified says that the address is the user's
	claims                         map[string]string // as Settings.Claims
}

// The uid is the one that django-allauth stores, so that an account that was
// connected by one of the two works with the other.
var presets = map[string]preset{
	"google": {name: "Google", issuer: "https://accounts.google.com", vouches: true},
	"github": {
		name: "GitHub", authURL: "https://github.com/login/oauth/authorize", tokenURL: "https://github.com/login/oauth/access_token",
		userInfoURL: "https://api.github.com/user", emailsURL: "https://api.github.com/user/emails",
		scopes: []string{"read:user", "user:email"}, vouches: true,
		claims: map[string]string{"uid": "id", "username": "login"},
	},
	"microsoft": {
		name: "Microsoft", issuer: "https://login.microsoftonline.com/common/v2.0",
		claims: map[string]string{"uid": "oid"}, // the id at Microsoft Graph; sub differs by client
	},
	"apple":  {name: "Apple", issuer: "https://appleid.apple.com", scopes: []string{"openid", "email", "name"}, formPost: true, vouches: true},
	"gitlab": {name: "GitLab", issuer: "https://gitlab.com"},
	"facebook": {
		name: "Facebook", authURL: "https://www.facebook.com/v24.0/dialog/oauth", tokenURL: "https://graph.facebook.com/v24.0/oauth/access_token",
		userInfoURL: "https://graph.facebook.com/v24.0/me?fields=id,name,first_name,last_name,email", scopes: []string{"email", "public_profile"},
		claims: map[string]string{"uid": "id", "given_name": "first_name", "family_name": "last_name"},
	},
	"discord": {
		name: "Discord", authURL: "https://discord.com/oauth2/authorize", tokenURL: "https://discord.com/api/oauth2/token",
		userInfoURL: "https://discord.com/api/users/@me", scopes: []string{"identify", "email"},
		claims: map[string]string{"uid": "id", "name": "global_name", "email_verified": "verified"},
	},
}

// Presets returns the providers that need no addresses, in alphabetical order.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }

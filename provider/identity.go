package provider

// Who signed in.

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jotgate/jotgate/jwt"
)

// Identity is a user of a provider. Only Provider and UID identify the user: an
// address can change its owner, and most providers do not check it.
type Identity struct {
	Provider string // Settings.ID
	UID      string // never assigned to another user of the provider; at most 191 characters
	Username string // as a proposal; may be empty
	Email    string // may be empty
	// Vouched reports that the address is the user's: the provider has checked it, and
	// Settings.TrustEmail or the preset says that its check is trusted.
	Vouched             bool
	FirstName, LastName string
	// TwoFactors reports that the provider asked for two factors: the claim acr or amr
	// has one of the values of Settings.MultiACR or MultiAMR.
	TwoFactors bool
	// Roles are the values of the claim groups that the settings name (see
	// Provider.Rights).
	Roles  []string
	Origin Origin // the session at the provider
	Claims string // a JSON object: what the provider said
}

// Verified is an identity that Finish has verified. Nothing else makes one.
type Verified struct{ identity *Identity }

// Identity returns who signed in. ok is false for the zero value.
func (v Verified) Identity() (i Identity, ok bool) {
	if v.identity == nil {
		return i, false
	}
	return *v.identity, true
}

// claims are the claims of an ID token, what the provider says about the user, and
// GitHub's primary address.
type claims struct{ token, info, emails jwt.Raw }

// claimNames are the names in Settings.Claims.
var claimNames = []string{"uid", "username", "email", "email_verified", "name", "given_name", "family_name", "groups"}

// claim returns the provider's name for one of claimNames.
func (p *Provider) claim(name string) string {
	byDefault := name
	switch name {
	case "uid":
		byDefault = "sub"
	case "username":
		byDefault = "preferred_username"
	}
	return cmp.Or(p.settings.Claims[name], p.kind.claims[name], byDefault)
}

// text returns the value of one of claimNames, or "".
func (p *Provider) text(c claims, name string) string {
	for _, doc := range []jwt.Raw{c.token, c.info} {
		if text := pathOf(doc, p.claim(name)); text != "" {
			return text
		}
	}
	return ""
}

// pathOf returns the value of a path such as user.email, or of a member with this
// very name.
func pathOf(doc jwt.Raw, path string) string {
	if text := textOf(doc, path); text != "" {
		return text
	}
	first, rest, nested := strings.Cut(path, ".")
	if !nested {
		return ""
	}
	inner, _ := doc.Member(first)
	return pathOf(inner, rest)
}

const (
	maxUID    = 191      // characters, of allauth's column
	maxName   = 150      // characters, of Django's columns
	maxClaims = 16 << 10 // bytes
)

// identity returns the identity that the claims describe.
func (p *Provider) identity(c claims) (Identity, error) {
	i := Identity{Provider: p.settings.ID, UID: p.text(c, "uid"), Claims: canonical(c.token)}
	if c.info != "" {
		i.Claims = canonical(c.info)
	}
	// A uid must not be changed: two that differ only in what was left out would be
	// one.
	if i.UID == "" || i.UID != clean(i.UID, maxUID) || i.UID[0] == '{' || i.UID[0] == '[' {
		return i, invalid("the provider does not name the user")
	}
	i.Username = clean(p.text(c, "username"), maxName)
	i.FirstName, i.LastName = clean(p.text(c, "given_name"), maxName), clean(p.text(c, "family_name"), maxName)
	if full := clean(p.text(c, "name"), maxName); i.FirstName == "" && i.LastName == "" {
		i.FirstName, i.LastName, _ = strings.Cut(full, " ")
	}
	i.setEmail(p, c)
	i.Roles = p.roles(c)
	i.TwoFactors, i.Origin = p.askedTwice(c.token), p.origin(c.token)
	return i, nil
}

// canonical returns a JSON object that every database can hold: without NUL, which
// jsonb cannot, and without halves of surrogate pairs. It is {} if that is not
// possible, or too long.
func canonical(doc jwt.Raw) string {
	members := map[string]any{}
	decoder := json.NewDecoder(strings.NewReader(string(doc)))
	decoder.UseNumber()
	if doc.Members() == nil || decoder.Decode(&members) != nil { // Members refuses duplicate names
		return "{}"
	}
	delete(members, "nonce") // a secret of one login
	text, err := json.Marshal(members)
	if err != nil || len(text) > maxClaims || strings.Contains(string(text), `\u0000`) {
		return "{}"
	}
	return string(text)
}

// setEmail sets the address and whether the provider has made sure of it.
func (i *Identity) setEmail(p *Provider, c claims) {
	doc := c.token // both claims from one document
	if pathOf(doc, p.claim("email")) == "" {
		doc = c.info
	}
	verified := pathOf(doc, p.claim("email_verified")) == "true"
	i.Email = pathOf(doc, p.claim("email"))
	if p.kind.emailsURL != "" { // the address in GitHub's profile is not the primary one
		i.Email, verified = textOf(c.emails, "email"), textOf(c.emails, "verified") == "true"
	}
	if i.Email != clean(i.Email, 254) || strings.Count(i.Email, "@") != 1 {
		i.Email = ""
	}
	switch {
	case i.Email == "":
	case p.hasTenants():
		edov := textOf(c.token, "xms_edov")
		i.Vouched = p.settings.Tenant != "" || edov == "true" || edov == "1"
	case p.kind.vouches && p.own:
		i.Vouched = verified
	default:
		i.Vouched = verified && p.settings.TrustEmail
	}
}

// askedTwice reports whether the ID token says that two factors were asked for.
func (p *Provider) askedTwice(token jwt.Raw) bool {
	if acr := textOf(token, "acr"); acr != "" && slices.Contains(p.settings.MultiACR, acr) {
		return true
	}
	return slices.ContainsFunc(listOf(token, "amr"), func(m string) bool { return slices.Contains(p.settings.MultiAMR, m) })
}

// clean returns a text without control characters and white space at its ends, of
// at most limit characters.
func clean(text string, limit int) string {
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, text))
	if utf8.RuneCountInString(text) > limit {
		text = strings.TrimSpace(string([]rune(text)[:limit]))
	}
	return text
}

// addAppleName adds the name that Apple sends once, with the first callback. It is
// not signed; it is only a proposal, like every name.
func (i *Identity) addAppleName(user string) {
	if len(user) > 4096 || i.FirstName != "" || i.LastName != "" {
		return
	}
	name, _ := jwt.Raw(user).Member("name")
	i.FirstName, i.LastName = clean(textOf(name, "firstName"), maxName), clean(textOf(name, "lastName"), maxName)
}

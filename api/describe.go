package api

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/factor/passkey"
	"github.com/jotgate/jotgate/internal/packed"
	"github.com/jotgate/jotgate/record"
)

// describe returns openapi.yaml as it is true of a server with these settings: the
// header and scheme of the token, the fields, and without what is switched off. The
// URL of the server is set by withServer. The fields of Django REST framework's
// token view stay as they are.
func describe(gate jotgate.Settings, s *Settings, fields []record.UserField) string {
	text := describeFields(string(packed.Text(openapi)), s)
	text = describeTokens(text, gate.KeepRefreshTokens, s.RefreshCookie)
	text = describeHeader(text, cmp.Or(gate.HeaderName, "Authorization"), gate.HeaderTypes)
	if login := cmp.Or(gate.LoginField, "username"); login != "username" {
		text = describeAllLogins(text, login)
	}
	text = describeUserFields(text, fields)
	if s.NoSignup {
		text = withoutSignup(text)
	}
	if !gate.ServeRevocations {
		text = withoutPath(text, "/auth/revocations")
	}
	if gate.RPID == "" {
		text = withoutPasskeys(text)
	}
	if !nativeProviders(gate) {
		text = withoutPath(text, "/api/token/provider/")
	}
	if !providerApps(gate) {
		text = withoutPath(text, "/api/token/provider/code/")
	}
	if !gate.LoginCodes {
		text = withoutPath(withoutPath(text, "/api/token/code/"), "/api/token/code/confirm/")
	}
	if s.APIKeys == nil {
		for _, path := range []string{"/auth/api-keys/", "/auth/api-keys/{id}/", "/auth/api-keys/{id}/rotate/", "/auth/api-keys/token/"} {
			text = withoutPath(text, path)
		}
	}
	if s.OAuth == nil {
		for _, path := range []string{"/o/token/", "/o/introspect/", "/o/revoke/", "/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource"} {
			text = withoutPath(text, path)
		}
	}
	if !hasOriginsElsewhere(gate) {
		text = withoutPath(text, "/.well-known/webauthn")
	}
	if s.NoSchema {
		for _, path := range []string{"/api/schema/", "/api/docs/", "/api/docs/{file}"} {
			text = withoutPath(text, path)
		}
	}
	if s.MaxBody > 0 {
		text = strings.Replace(text, "larger than 65536 bytes", fmt.Sprintf("larger than %d bytes", s.MaxBody), 1)
	}
	return text
}

// withoutPasskeys removes the paths that are served with passkeys alone.
func withoutPasskeys(text string) string {
	for _, path := range []string{
		"/api/token/passkey/options/", "/api/token/passkey/", "/api/token/enrol/passkey/options/", "/api/token/enrol/passkey/",
		"/auth/again/passkey/options/", "/auth/again/passkey/",
		"/auth/factors/passkeys/", "/auth/factors/passkeys/options/", "/auth/factors/passkeys/{id}/",
	} {
		text = withoutPath(text, path)
	}
	return text
}

// hasOriginsElsewhere reports whether passkeys may be used at an origin outside
// their RP ID, for which browsers read a document.
func hasOriginsElsewhere(gate jotgate.Settings) bool {
	rp, err := passkey.New(passkey.Settings{ID: gate.RPID, Origins: gate.RPOrigins})
	return gate.RPID != "" && len(gate.RPOrigins) > 0 && err == nil && rp.RelatedOrigins() != nil
}

// withServer sets the URL of the server.
func withServer(text, url string) []byte {
	return []byte(strings.Replace(text, "\nservers:\n  - url: /\n", "\nservers:\n  - url: "+url+"\n", 1))
}

// describeFields keeps the fields that the settings require, and requires them.
func describeFields(text string, s *Settings) string {
	for _, f := range []struct {
		schema, field string
		required      bool
	}{
		{"SignUp", "re_password", s.UserCreatePasswordRetype},
		{"SetPassword", "re_new_password", s.SetPasswordRetype},
		{"ResetPassword", "re_new_password", s.PasswordResetConfirmRetype},
		{"SetUsername", "re_new_username", s.SetUsernameRetype},
		{"ResetUsername", "re_new_username", s.UsernameResetConfirmRetype},
	} {
		if f.required {
			text = requireField(text, f.schema, f.field)
		} else {
			text = withoutField(text, f.schema, f.field)
		}
	}
	if !s.EmailChangeNeedsPassword {
		text = withoutField(text, "Profile", "current_password")
	}
	return text
}

// describeTokens says where refresh tokens are: in the bodies, or in the cookie.
func describeTokens(text string, keep, cookie bool) string {
	if cookie {
		for _, schema := range []string{"TokenPair", "Refreshed"} {
			text = withoutField(text, schema, "refresh")
		}
		return strings.Replace(text, "\n    access:\n      type: http\n", "\n    refreshCookie:\n      type: apiKey\n      in: cookie\n      name: "+refreshCookie+
			"\n      description: Set by the login and by each refresh.\n    access:\n      type: http\n", 1)
	}
	text = requireField(text, "RefreshToken", "refresh")
	text = strings.Replace(text, "refresh: { type: [string, number], description: May be omitted if it is sent in a cookie. }", "refresh: { type: [string, number] }", 1)
	text = requireField(text, "TokenPair", "refresh")
	if keep {
		return withoutField(text, "Refreshed", "refresh")
	}
	return requireField(text, "Refreshed", "refresh")
}

// describeHeader says in which header the token is sent, and after which word.
func describeHeader(text, name string, types []string) string {
	if len(types) == 0 {
		types = []string{"Bearer", "Token"}
	}
	name = http.CanonicalHeaderKey(name)
	forms := make([]string, len(types))
	for i, word := range types {
		forms[i] = "`" + word + " <token>`"
	}
	text = strings.Replace(text, "    The access token goes into the header `Authorization: Bearer <token>` (or\n    `Token <token>`).\n",
		"    The access token goes into the header `"+name+"`, in the form "+strings.Join(forms, " or ")+".\n", 1)
	const bearer = "      type: http\n      scheme: bearer\n      bearerFormat: JWT\n"
	if name == "Authorization" && slices.Contains(types, "Bearer") {
		return text
	}
	return strings.Replace(text, bearer, "      type: apiKey\n      in: header\n      name: "+name+
		"\n      description: \"The word "+types[0]+", a space and the access token.\"\n", 1)
}

// within applies change to the part of the text from begin, which is in it, up to
// the next end.
func within(text, begin, end string, change func(string) string) string {
	from := strings.Index(text, begin)
	after := from + len(begin)
	to := len(text)
	if n := strings.Index(text[after-1:], end); n >= 0 { // begin may end with the line end that end begins with
		to = after - 1 + n
	}
	return text[:from] + change(text[from:to]) + text[to:]
}

// withoutPath leaves out a path.
func withoutPath(text, path string) string {
	return withinPath(text, path, func(string) string { return "" })
}

func withinPath(text, path string, change func(string) string) string {
	begin := "\n  " + path + ":\n"
	rest := text[strings.Index(text, begin)+len(begin)-1:]
	end := "\ncomponents:"
	if next := strings.Index(rest, "\n  /"); next >= 0 {
		end = "\n  /"
	}
	return within(text, begin, end, change)
}

// inSchema applies change to a schema.
func inSchema(text, schema string, change func(string) string) string {
	begin := "\n    " + schema + ":\n"
	return within(text, begin, nextName(text, begin), change)
}

// nextName returns the line that begins the next schema.
func nextName(text, begin string) string {
	rest := text[strings.Index(text, begin)+len(begin):]
	for line := range strings.Lines(rest) {
		if strings.HasPrefix(line, "    ") && line[4] != ' ' || !strings.HasPrefix(line, "    ") {
			return "\n" + line
		}
	}
	return "\n\x00"
}

// withoutField leaves out a field of a schema.
func withoutField(text, schema, field string) string {
	return inSchema(text, schema, func(part string) string {
		var kept strings.Builder
		for line := range strings.Lines(part) {
			if !strings.HasPrefix(line, "        "+field+":") {
				kept.WriteString(line)
			}
		}
		return kept.String()
	})
}

// requireField adds a field of a schema to those that are required.
func requireField(text, schema, field string) string {
	return inSchema(text, schema, func(part string) string {
		if strings.Contains(part, "\n      required: [") {
			part = strings.Replace(part, "\n      required: [", "\n      required: ["+field+", ", 1)
		} else {
			part = strings.Replace(part, "\n      properties:\n", "\n      required: ["+field+"]\n      properties:\n", 1)
		}
		return strings.Replace(part, ", description: Required only if it must be entered twice. }", " }", 1)
	})
}

// withoutSignup leaves out POST /auth/users/ and the schema of its body.
func withoutSignup(text string) string {
	text = withinPath(text, "/auth/users/", func(part string) string {
		return part[:strings.Index(part, "\n    post:\n")]
	})
	return inSchema(text, "SignUp", func(string) string { return "" })
}

// describeAllLogins renames the login name everywhere in the text.
func describeAllLogins(text, login string) string {
	text = strings.NewReplacer(
		"/set_username/", "/set_"+login+"/", "/reset_username/", "/reset_"+login+"/", "/reset_username_confirm/", "/reset_"+login+"_confirm/",
		"new_username", "new_"+login,
	).Replace(text)
	for _, schema := range []string{"Credentials", "SignUp", "User"} {
		start := strings.Index(text, "\n    "+schema+":\n") + 1
		end := start + strings.Index(text[start:], "password: {")
		if schema == "User" {
			end = start + strings.Index(text[start:], "\n    Session:\n")
		}
		text = text[:start] + describeLogin(text[start:end], schema, login) + text[end:]
	}
	return strings.Replace(text, "example: { username: newbie, email:", "example: { "+exampleOf(login)+"email:", 1)
}

// describeLogin renames the login name in one schema. If the login name is the
// e-mail, the schema has only one field for it.
func describeLogin(text, schema, login string) string {
	if login != "email" || schema == "Credentials" {
		return strings.ReplaceAll(text, "username", login)
	}
	var lines []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "        username:") {
			lines = append(lines, line)
		}
	}
	return strings.NewReplacer("[username, ", "[email, ", ", username]", "]").Replace(strings.Join(lines, ""))
}

// exampleOf returns an example of the login name and a comma, or "" if the login
// name is the e-mail.
func exampleOf(login string) string {
	if login == "email" {
		return ""
	}
	return login + ": newbie, "
}

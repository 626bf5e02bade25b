package api

import "strings"

// describe returns openapi.yaml with the login name renamed to login, and without
// the sign-up if noSignup is set. The fields of Django REST framework's token view
// stay as they are.
func describe(login string, noSignup bool) []byte {
	text := string(openapi)
	if login != "username" {
		text = describeAllLogins(text, login)
	}
	if noSignup {
		text = withoutSignup(text)
	}
	return []byte(text)
}

// withoutSignup leaves out POST /auth/users/ and the schema of its body.
func withoutSignup(text string) string {
	for _, part := range []struct{ within, begin, end string }{
		{"\n  /auth/users/:\n", "\n    post:\n", "\n  /auth/users/{id}/:\n"},
		{"\n  schemas:\n", "\n    SignUp:\n", "\n    Profile"},
	} {
		within := strings.Index(text, part.within)
		begin := within + strings.Index(text[within:], part.begin)
		end := begin + strings.Index(text[begin:], part.end)
		text = text[:begin] + text[end:]
	}
	return text
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

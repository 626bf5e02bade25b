package api

import "strings"

// describe is openapi.yaml for a site whose login name is called otherwise. What
// Django REST framework's token view takes stays as it is.
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

// describeAllLogins gives the login name its name wherever it stands.
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

// describeLogin gives the login name of a schema its name. An e-mail that is the
// login name is no field besides.
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

// exampleOf is a login name and a comma, where there is one besides the e-mail.
func exampleOf(login string) string {
	if login == "email" {
		return ""
	}
	return login + ": newbie, "
}

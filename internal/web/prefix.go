package web

// The path under which clients reach the endpoints.

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// Prefix returns the path that precedes the endpoints' own in the URLs that the
// client uses, "" or such as "/accounts", for links and cookies: that of
// Settings.BaseURL, or without it Settings.Prefix after what an http.StripPrefix
// around the handler has removed.
func (s *Shell) Prefix(r *http.Request) string {
	if s.public != nil {
		return s.public.EscapedPath()
	}
	return stripped(r) + s.settings.Prefix
}

// stripped returns the part of the path that handlers around this one removed.
func stripped(r *http.Request) string {
	sent, err := url.ParseRequestURI(r.RequestURI)
	if err != nil || sent.Path == r.URL.Path {
		return ""
	}
	prefix, found := strings.CutSuffix(sent.EscapedPath(), r.URL.EscapedPath())
	if !found || CheckPrefix(prefix) != nil {
		return ""
	}
	return prefix
}

// CheckPrefix returns an error unless the path can precede those of the
// endpoints: it is empty, or begins with a slash, does not end in one, and is in
// the form that browsers and servers read alike. The error completes a sentence
// about the path.
func CheckPrefix(prefix string) error {
	if prefix == "" {
		return nil
	}
	if prefix[0] != '/' || path.Clean(prefix) != prefix || prefix == "/" || strings.Trim(prefix, prefixCharacters) != "" {
		return errors.New("must be a path such as /accounts, of letters, digits, -, ., _, ~ and single slashes, without one at the end")
	}
	return nil
}

const prefixCharacters = "/-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// publicURL parses BaseURL. It returns nil if there is none.
func (s *Settings) publicURL() (*url.URL, error) {
	if s.BaseURL == "" {
		return nil, nil
	}
	u, err := url.Parse(strings.TrimRight(s.BaseURL, "/"))
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return nil, errors.New("BaseURL must be an absolute URL such as https://api.example.com")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("BaseURL cannot have a user, a query or a fragment")
	}
	if err := CheckPrefix(u.Path); err != nil {
		return nil, errors.New("BaseURL: its path " + err.Error())
	}
	return u, nil
}

// PublicPath returns the path, or the path and query, that clients use for one of
// this server's, which begins with Settings.Prefix.
func (s *Shell) PublicPath(r *http.Request, path string) string {
	rest, ok := strings.CutPrefix(path, s.settings.Prefix)
	if !ok {
		return path // not below the prefix, so that no gateway has it there
	}
	return s.Prefix(r) + rest
}

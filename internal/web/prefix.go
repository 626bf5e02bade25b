package web

// The path under which clients reach the endpoints.

import (
	"errors"
	"fmt"
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
	if !found || checkPrefix(prefix) != nil {
		return ""
	}
	return prefix
}

// checkPrefix returns an error unless the path can precede those of the
// endpoints: it is empty, or begins with a slash, does not end in one, and is in
// the form that browsers and servers read alike. The error completes a sentence
// about the path.
func checkPrefix(prefix string) error {
	if prefix == "" {
		return nil
	}
	if prefix[0] != '/' || path.Clean(prefix) != prefix || prefix == "/" || strings.Trim(prefix, prefixCharacters) != "" {
		return errors.New("must be a path such as /accounts, of ASCII alphanumeric characters, -, ., _, ~ and single slashes, without one at the end")
	}
	return nil
}

// CheckPath returns an error unless everything below the path can be served by
// other handlers than the endpoints and the pages: the path ends in a slash, is in
// the form that browsers and servers read alike, and neither contains theirs nor is
// below them. pages is the path of the pages, "" if the path is theirs.
func (s *Shell) CheckPath(path, pages string) error {
	bare := strings.TrimSuffix(path, "/")
	if bare == path || bare == "" || checkPrefix(bare) != nil {
		//lint:ignore ST1005 Path is the name of the setting
		return fmt.Errorf("Path: %q must be a path such as /account/, of ASCII alphanumeric characters, -, ., _, ~ and single slashes, with one at both ends", path)
	}
	for _, endpoints := range s.settings.Endpoints {
		if err := checkApart(path, endpoints, "endpoints"); err != nil {
			return err
		}
	}
	return checkApart(path, pages, "pages")
}

// checkApart returns an error if one path is below the other, which has what it says.
func checkApart(path, other, what string) error {
	if other != "" && (strings.HasPrefix(path, other) || strings.HasPrefix(other, path)) {
		//lint:ignore ST1005 Path is the name of the setting
		return fmt.Errorf("Path: %q would hide the %s below %s", path, what, other)
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
	if err := checkPrefix(u.Path); err != nil {
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

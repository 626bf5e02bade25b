// Links: the base URL and the paths are configured and checked once; uid and token
// are filled in when a message is sent.

package mail

import (
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"

	"github.com/jotgate/jotgate/record"
)

// scripts are the schemes that a link cannot have: a mail program or browser would
// run or open what follows instead of opening a page.
var scripts = []string{"javascript", "vbscript", "data", "file", "blob", "about"}

// readLinks joins BaseURL and the paths. If Site is empty, it becomes the host
// in BaseURL.
func (s *Settings) readLinks() (map[record.MessageKind]string, error) {
	base, err := url.Parse(s.BaseURL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("Settings.BaseURL: %w", err)
	case base.Scheme == "" || base.Host == "":
		return nil, errors.New("Settings.BaseURL must be an absolute address, such as https://app.example.com")
	case slices.Contains(scripts, base.Scheme):
		return nil, fmt.Errorf("Settings.BaseURL cannot have the scheme %s", base.Scheme)
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, errors.New("Settings.BaseURL cannot have a user, a query or a fragment")
	}
	s.Site = clean(or(s.Site, base.Host), maxName)
	links := map[record.MessageKind]string{
		record.MessageActivation:    or(s.ActivationPath, "#/activate/{uid}/{token}"),
		record.MessagePasswordReset: or(s.PasswordResetPath, "#/password/reset/confirm/{uid}/{token}"),
		record.MessageUsernameReset: or(s.UsernameResetPath, "#/username/reset/confirm/{uid}/{token}"),
		record.MessageEmailChange:   or(s.EmailChangePath, "#/email/change/confirm/{uid}/{token}"),
		record.MessageEmailChanged:  or(s.EmailUndoPath, "#/email/change/undo/{uid}/{token}"),
		record.MessageDeletion:      or(s.DeletionUndoPath, "#/account/restore/{uid}/{token}"),
		record.MessageInvitation:    or(s.InvitationPath, "account/invitation?uid={uid}&token={token}"),
		record.MessageLoginCode:     or(s.LoginCodePath, "#/login/code/{token}"),
	}
	for kind, path := range links {
		// The link must be valid with sample values, and the path must not
		// contain characters that clean replaces.
		uids := 1
		if kind == record.MessageLoginCode { // the browser that requested the code knows the user
			uids = 0
		}
		joined := strings.TrimRight(base.String(), "/") + "/" + strings.TrimLeft(path, "/")
		if _, err := url.Parse(string(fillLink(joined, "MQ", "a-b"))); err != nil ||
			strings.Count(path, "{uid}") != uids || strings.Count(path, "{token}") != 1 || clean(path, len(path)) != path {
			if uids == 0 {
				return nil, fmt.Errorf("the link of %s messages in Settings, %q, must have {token} once, no {uid}, and be part of a URL", kind, path)
			}
			return nil, fmt.Errorf("the link of %s messages in Settings, %q, must have {uid} and {token} once and be part of a URL", kind, path)
		}
		links[kind] = joined
	}
	return links, nil
}

// fillLink fills uid and token into the template of a link. With the type
// template.URL, html/template accepts any scheme, which the operator chooses; it
// still escapes the link as an attribute.
func fillLink(link, uid, token string) template.URL {
	fill := strings.NewReplacer("{uid}", url.PathEscape(uid), "{token}", url.PathEscape(token))
	return template.URL(fill.Replace(link))
}

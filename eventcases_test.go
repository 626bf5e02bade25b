package jotgate_test

import (
	"context"
	"errors"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

var noClient jotgate.Client

func eventCases() []eventCase {
	return append(append(accountCases(), factorCases()...), append(providerCases(), programCases()...)...)
}

// last drops the result of a function with one.
func last[T any](_ T, err error) error { return err }

func accountCases() []eventCase {
	link := func(kind record.MessageKind, adjust func(*record.Account), follow func(w *eventWorld, ctx context.Context, uid, token string) error) func(w *eventWorld) func(ctx context.Context) error {
		return func(w *eventWorld) func(ctx context.Context) error {
			a := w.someone(adjust)
			uid, token := w.Links().Parts(kind, a)
			return func(ctx context.Context) error { return follow(w, ctx, uid, token) }
		}
	}
	return []eventCase{
		{"login", "Store.createSession", func(w *eventWorld) func(ctx context.Context) error {
			a := w.someone(nil)
			return func(ctx context.Context) error { return last(w.Login(ctx, a.Username, password, noClient)) }
		}},
		{"logout", "Gate.end", func(w *eventWorld) func(ctx context.Context) error {
			tokens := w.login(w.T, w.someone(nil).Username)
			return func(ctx context.Context) error { return w.Logout(ctx, tokens.Refresh, noClient) }
		}},
		{"logout", "Gate.end", func(w *eventWorld) func(ctx context.Context) error {
			a := w.someone(nil)
			w.login(w.T, a.Username)
			return func(ctx context.Context) error { return w.Sessions().EndAll(ctx, a.ID, "", noClient) }
		}},
		{"reuse", "rotationEvent", func(w *eventWorld) func(ctx context.Context) error {
			tokens := w.login(w.T, w.someone(nil).Username)
			w.must(last(w.Refresh(w.Context(), tokens.Refresh, noClient)))
			w.clock.Advance(time.Minute)
			return func(ctx context.Context) error {
				_, err := w.Refresh(ctx, tokens.Refresh, noClient)
				if errors.Is(err, jotgate.ErrTokenReused) {
					err = nil
				}
				return err
			}
		}},
		{"register", "Gate.signUp", func(w *eventWorld) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				return last(w.Register(ctx, jotgate.Registration{Username: "new", Email: "new@example.com", Password: password, Activate: true}, noClient))
			}
		}},
		{"register", "Links.AcceptInvitation", func(w *eventWorld) func(ctx context.Context) error {
			_, err := w.admin.Act(w.Context(), w.admin.Operator(), "invitation.add", "", map[string][]string{"email": {"guest@example.com"}})
			w.must(err)
			i, err := w.db.Addresses().(record.Invitations).FindInvitation(w.Context(), 0, "guest@example.com", w.clock.Now())
			w.must(err)
			uid, token := w.Links().Parts(record.MessageInvitation, &record.Account{Email: i.Email})
			return func(ctx context.Context) error {
				return last(w.Links().AcceptInvitation(ctx, uid, token, jotgate.Registration{Username: "guest", Password: password}, noClient))
			}
		}},
		{"activate", "Links.Activate", func(w *eventWorld) func(ctx context.Context) error {
			a, err := w.Register(w.Context(), jotgate.Registration{Username: "waits", Email: "waits@example.com", Password: password, Activate: true}, noClient)
			w.must(err)
			uid, token := w.Links().Parts(record.MessageActivation, a)
			return func(ctx context.Context) error { return last(w.Links().Activate(ctx, uid, token, noClient)) }
		}},
		{"password", "Gate.replacePassword", func(w *eventWorld) func(ctx context.Context) error {
			a := w.someone(nil)
			w.login(w.T, a.Username)
			return func(ctx context.Context) error {
				b := *a
				return w.Accounts().SetPassword(ctx, &b, "another "+password, "", noClient)
			}
		}},
		{"password", "Gate.replacePassword", link(record.MessagePasswordReset, nil, func(w *eventWorld, ctx context.Context, uid, token string) error {
			return last(w.Links().ResetPassword(ctx, uid, token, "another "+password, noClient))
		})},
		{"password", "sessions.ConfirmPassword", func(w *eventWorld) func(ctx context.Context) error {
			a := w.someone(nil)
			tokens := w.login(w.T, a.Username)
			user, err := w.VerifyAccess(tokens.Access)
			w.must(err)
			w.exec("UPDATE auth_user SET password = 'changed by another program' WHERE username = '" + a.Username + "'")
			return func(ctx context.Context) error {
				_, err := w.Accounts().Of(ctx, user)
				if errors.Is(err, jotgate.ErrPasswordChanged) {
					err = nil
				}
				return err
			}
		}},
		{"username", "Gate.replaceUsername", func(w *eventWorld) func(ctx context.Context) error {
			a := w.someone(nil)
			return func(ctx context.Context) error {
				b := *a
				return w.Accounts().SetUsername(ctx, &b, a.Username+"x", "", noClient)
			}
		}},
		{"username", "Gate.replaceLogin", link(record.MessageUsernameReset, nil, func(w *eventWorld, ctx context.Context, uid, token string) error {
			return last(w.Links().ResetUsername(ctx, uid, token, "renamed", noClient))
		})},
		{"email", "Gate.setEmail", func(w *eventWorld) func(ctx context.Context) error {
			a := w.someone(nil)
			return func(ctx context.Context) error {
				b := *a
				return w.strict.Accounts().SetEmail(ctx, &b, "now@example.com", false, noClient)
			}
		}},
		{"email", "Gate.awaitEmail", func(w *eventWorld) func(ctx context.Context) error {
			a := w.someone(nil)
			return func(ctx context.Context) error {
				b := *a
				return w.Accounts().SetEmail(ctx, &b, "later@example.com", false, noClient)
			}
		}},
		{"email", "Links.ConfirmEmail", func(w *eventWorld) func(ctx context.Context) error {
			a := w.someone(nil)
			w.must(w.Accounts().SetEmail(w.Context(), a, "confirmed@example.com", false, noClient))
			asked := *a
			asked.Email = "confirmed@example.com"
			uid, token := w.Links().Parts(record.MessageEmailChange, &asked)
			return func(ctx context.Context) error { return last(w.Links().ConfirmEmail(ctx, uid, token, noClient)) }
		}},
		{"email", "Links.UndoEmail", func(w *eventWorld) func(ctx context.Context) error {
			a := w.someone(nil)
			before := *a
			w.must(w.strict.Accounts().SetEmail(w.Context(), a, "undone@example.com", false, noClient))
			before.Related = nil
			uid, token := w.Links().Parts(record.MessageEmailChanged, &before)
			return func(ctx context.Context) error { return last(w.Links().UndoEmail(ctx, uid, token, noClient)) }
		}},
		{"account", "Accounts.SetNames", func(w *eventWorld) func(ctx context.Context) error {
			a := w.someone(nil)
			return func(ctx context.Context) error {
				b := *a
				return w.Accounts().SetNames(ctx, &b, "Ada", "L", noClient)
			}
		}},
		{"account", "sessions.ConfirmActive", func(w *eventWorld) func(ctx context.Context) error {
			a := w.someone(nil)
			w.login(w.T, a.Username)
			w.exec("UPDATE auth_user SET is_active = FALSE WHERE username = '" + a.Username + "'")
			return func(ctx context.Context) error { return last(w.db.Sessions().ConfirmActive(ctx, a.ID, noon)) }
		}},
		{"profile", "Accounts.SetFields", func(w *eventWorld) func(ctx context.Context) error {
			a := w.someone(nil)
			a.Fields = map[string]any{}
			return func(ctx context.Context) error {
				return w.Accounts().SetFields(ctx, a, map[string]any{"shoe": "42"}, noClient)
			}
		}},
		{"delete", "Accounts.Delete", func(w *eventWorld) func(ctx context.Context) error {
			a := w.someone(nil)
			w.login(w.T, a.Username)
			return func(ctx context.Context) error { return w.Accounts().Delete(ctx, a, noClient) }
		}},
		{"delete", "Accounts.DeleteLater", func(w *eventWorld) func(ctx context.Context) error {
			a := w.someone(nil)
			return func(ctx context.Context) error {
				b := *a
				return last(w.Accounts().DeleteLater(ctx, &b, time.Hour, noClient))
			}
		}},
		{"delete", "Links.UndoDeletion", func(w *eventWorld) func(ctx context.Context) error {
			a := w.someone(nil)
			last(w.Accounts().DeleteLater(w.Context(), a, 24*time.Hour, noClient))
			uid, token := w.Links().Parts(record.MessageDeletion, a)
			return func(ctx context.Context) error { return last(w.Links().UndoDeletion(ctx, uid, token, noClient)) }
		}},
		{"delete", "Gate.deleteDue", func(w *eventWorld) func(ctx context.Context) error {
			a := w.someone(nil)
			last(w.Accounts().DeleteLater(w.Context(), a, time.Minute, noClient))
			w.must(last(w.strict.Purge(w.Context())))
			w.clock.Advance(2 * time.Hour)
			return func(ctx context.Context) error { return last(w.Purge(ctx)) }
		}},
	}
}

func factorCases() []eventCase {
	return []eventCase{
		{"factor", "login.record", func(w *eventWorld) func(ctx context.Context) error {
			a := w.someone(nil)
			pending := w.strict.mustEnrol(w.T, a.Username, noClient)
			begun, err := w.strict.Logins().BeginEnrolment(w.Context(), pending, noClient)
			w.must(err)
			proof := jotgate.EnrolTOTP(begun.Token, app{begun.Secret}.at(w.T, w.clock.Now()))
			return func(ctx context.Context) error {
				return last(w.strict.Logins().Continue(ctx, pending, proof, noClient))
			}
		}},
		{"factor", "login.record", func(w *eventWorld) func(ctx context.Context) error { // a passkey that is synced now
			a := w.someone(nil)
			k := newSoftKey(a.ID)
			w.addPasskey(w.T, a, k)
			k.auth.Options.BackupEligible, k.auth.Options.BackupState = true, true
			c := w.beginPasskey(w.T, "")
			proof := jotgate.Passkey(k.get(w.T, c))
			return func(ctx context.Context) error { return last(w.Logins().Continue(ctx, c.Pending, proof, noClient)) }
		}},
		{"factor", "Gate.changeFactors", func(w *eventWorld) func(ctx context.Context) error {
			a := w.someone(nil)
			begun, err := w.Factors().BeginTOTP(w.Context(), a)
			w.must(err)
			code := app{begun.Secret}.at(w.T, w.clock.Now())
			return func(ctx context.Context) error { return last(w.Factors().AddTOTP(ctx, a, begun.Token, code, noClient)) }
		}},
		{"factor", "Passkeys.rename", func(w *eventWorld) func(ctx context.Context) error {
			a := w.someone(nil)
			w.addPasskey(w.T, a, newSoftKey(a.ID))
			id := w.factors(w.T, a)[0].ID
			return func(ctx context.Context) error {
				return last(w.Factors().Passkeys().Rename(ctx, a, id, "Blue", noClient))
			}
		}},
		{"factor", "Factors.RequestReset", func(w *eventWorld) func(ctx context.Context) error {
			a := w.someone(nil)
			w.enrol(w.T, a)
			return func(ctx context.Context) error {
				return w.Factors().RequestReset(ctx, a, "", "lost the phone", time.Hour, noClient)
			}
		}},
		{"factor", "Gate.applyReset", func(w *eventWorld) func(ctx context.Context) error {
			a := w.someone(nil)
			w.enrol(w.T, a)
			w.must(w.Factors().RequestReset(w.Context(), a, "", "lost the phone", 0, noClient))
			return func(ctx context.Context) error { return last(w.Login(ctx, a.Username, password, noClient)) }
		}},
		{"recovery_code", "login.record", func(w *eventWorld) func(ctx context.Context) error {
			a := w.someone(nil)
			_, codes := w.enrol(w.T, a)
			pending := w.pending(w.T, a.Username)
			return func(ctx context.Context) error {
				return last(w.Logins().Continue(ctx, pending, jotgate.RecoveryCode(codes[0]), noClient))
			}
		}},
	}
}

// there returns a sign-in of a new user at the provider.
func (w *eventWorld) there(sub string, groups ...string) *jotgate.ProviderLogin {
	w.Helper()
	w.issuer.extra = map[string]any{"sub": sub, "sid": "sid of " + sub, "email": sub + "@example.org", "roles": groups}
	return signInThere(w.T, w.Logins().Providers(), jotgate.ProviderFlow{})
}

// connected returns an account that is connected to that of sub at the provider.
func (w *eventWorld) connected(sub string) *record.Account {
	w.Helper()
	a := w.someone(nil)
	row := &record.SocialAccount{Provider: "instant", UID: sub, Data: "{}", LastLogin: noon, Joined: noon}
	w.must(w.db.SocialAccounts().ChangeSocial(w.Context(), record.SocialChange{User: a.ID, Connect: row, At: noon}))
	return a
}

func providerCases() []eventCase {
	return []eventCase{
		{"register", "Providers.signUp", func(w *eventWorld) func(ctx context.Context) error {
			l := w.there("mia")
			_, held, err := w.Logins().Providers().Link(w.Context(), l, noClient)
			w.must(err)
			return func(ctx context.Context) error {
				resumed, err := w.Logins().Providers().Resume(held)
				if err != nil {
					return err
				}
				return w.Logins().Providers().SignUp(ctx, resumed, "mia", true, noClient)
			}
		}},
		{"provider", "Gate.changeSocial", func(w *eventWorld) func(ctx context.Context) error {
			a := w.connected("noa")
			rows, err := w.db.SocialAccounts().ListSocial(w.Context(), a.ID)
			w.must(err)
			return func(ctx context.Context) error {
				return w.Logins().Providers().Disconnect(ctx, a, rows[0].ID, noClient)
			}
		}},
		{"provider", "Providers.applyRights", func(w *eventWorld) func(ctx context.Context) error {
			w.connected("pam")
			_, err := w.db.Groups().Create(w.Context(), "Editors")
			w.must(err)
			l := w.there("pam", "ed")
			return func(ctx context.Context) error { return last(w.Logins().Begin(ctx, l.Proof(), noClient)) }
		}},
		{"logout", "Providers.Logout", func(w *eventWorld) func(ctx context.Context) error {
			w.connected("ria")
			_, err := w.Logins().Begin(w.Context(), w.there("ria").Proof(), noClient)
			w.must(err)
			now := w.clock.Now()
			token, err := jwt.Sign(w.issuer.key.WithType("logout+jwt"), map[string]any{
				"iss": instantURL, "aud": "client", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "jti": "j", "sub": "ria",
				"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
			})
			w.must(err)
			return func(ctx context.Context) error {
				n, err := w.Logins().Providers().Logout(ctx, "instant", token, noClient)
				if err == nil && n != 1 {
					w.Errorf("%d sessions ended", n)
				}
				return err
			}
		}},
	}
}

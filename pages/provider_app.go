package pages

// Logins of single-page and mobile applications with a provider.

import (
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"net/url"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/provider"
)

// providerStart checks the request of an application and responds with the address to
// open in a browser. It needs no cookie, and changes nothing.
func providerStart(v *visit) error {
	var id, method string
	var app jotgate.ProviderApp
	err := v.read(field{"provider", &id, true}, field{"redirect_uri", &app.RedirectURI, true}, field{"code_challenge", &app.Challenge, true},
		field{"code_challenge_method", &method, false}, field{"state", &app.State, false})
	if errors.Is(err, errInvalid) {
		fields := &jotgate.Error{Status: http.StatusBadRequest}
		for _, problem := range v.Errors {
			fields.Fields = append(fields.Fields, jotgate.FieldError{Field: problem.Field, Messages: []string{"This field is required."}})
		}
		return fields
	}
	if err != nil {
		return err
	}
	if err := v.checkApp(id, method, app); err != nil {
		return err
	}
	query := url.Values{"provider": {id}, "redirect_uri": {app.RedirectURI}, "code_challenge": {app.Challenge}}
	if app.State != "" {
		query.Set("state", app.State)
	}
	text, err := json.Marshal(struct {
		URL string `json:"url"`
	}{v.origin() + v.Path + "provider/app?" + query.Encode()})
	if err != nil {
		return err
	}
	v.done = true
	v.w.Header().Set("Content-Type", "application/json")
	v.w.Header().Set("Cache-Control", "no-store")
	_, _ = v.w.Write(text)
	return nil
}

// checkApp checks the parameters of the request of an application.
func (v *visit) checkApp(id, method string, app jotgate.ProviderApp) error {
	if err := v.p.gate.Logins().Providers().CheckApp(app); err != nil {
		return err
	}
	if method != "" && method != "S256" {
		return &jotgate.Error{Status: http.StatusBadRequest, Fields: []jotgate.FieldError{{Field: "code_challenge_method", Messages: []string{"Not a valid string."}}}}
	}
	for _, b := range v.p.providerButtons() {
		if b.ID == id {
			return nil
		}
	}
	return jotgate.ErrNotFound
}

// providerApp sends a browser, in which an application has opened this address, to the
// provider. What the user does on the way, such as signing up, leads back to it.
func providerApp(v *visit) error {
	query := v.r.URL.Query()
	id := query.Get("provider")
	app := jotgate.ProviderApp{RedirectURI: query.Get("redirect_uri"), Challenge: query.Get("code_challenge"), State: query.Get("state")}
	err := v.checkApp(id, query.Get("code_challenge_method"), app)
	switch {
	case errors.Is(err, jotgate.ErrNotFound):
		return err
	case err != nil:
		v.refused(err)
		return v.showProblem(http.StatusBadRequest, "provider.app")
	}
	return v.toProvider(id, jotgate.ProviderFlow{App: &app, Next: v.p.safeNext(v.Path + "provider/app?" + query.Encode())})
}

// toProvider begins a flow. The response is a page instead of a redirect, because
// form-action of the Content-Security-Policy also applies to the redirects after a
// form.
func (v *visit) toProvider(id string, flow jotgate.ProviderFlow) error {
	address, name, value, err := v.p.gate.Logins().Providers().Begin(v.ctx, id, v.callbackURL(id), flow, v.client)
	switch {
	case errors.Is(err, jotgate.ErrUnavailable):
		return v.flowProblem(id, err)
	case err != nil:
		return err
	}
	v.dropFlows()
	v.p.setCookie(v.w, v.r, flowCookie+name, value, provider.FlowTime)
	return v.leave(address, v.providerName(id))
}

// leave responds with a page that leads on to another site.
func (v *visit) leave(address, name string) error {
	v.route = providerRoute
	v.Page, v.Title = v.route.path, v.route.title
	v.w.Header().Set("Refresh", "0; url="+address)
	v.Data = providerData{Name: name, URL: template.URL(address)} //nolint:gosec // its scheme is https, or one of the operator's
	return v.render(http.StatusOK)
}

// toApp sends the browser back to an application.
func (v *visit) toApp(app *jotgate.ProviderApp, address string) error {
	v.w.Header().Set("Cache-Control", "no-store")
	if v.r.Method == http.MethodGet {
		return v.redirect(address)
	}
	name := app.RedirectURI
	if u, err := url.Parse(name); err == nil && u.Host != "" {
		name = u.Host
	}
	return v.leave(address, name)
}

// appLogin gives the application a code, if an account here is connected.
func (v *visit) appLogin(l *jotgate.ProviderLogin) error {
	address, err := v.p.gate.Logins().Providers().AppCode(v.ctx, l)
	switch {
	case errors.Is(err, jotgate.ErrNotConnected):
		return v.providerLink(l)
	case err != nil:
		v.refused(err)
		return v.providerProblem(l, "provider.app", err.Error())
	}
	return v.toApp(l.Use.App, address)
}

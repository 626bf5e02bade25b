package pages

// The first page of a new server.

// welcomeData is the Data of welcome.html.
type welcomeData struct {
	Docs  string // the address of the API's documentation; "" without one
	Steps []welcomeStep
}

// welcomeStep is something to do next.
type welcomeStep struct{ Text, Command string }

var welcomeSteps = []welcomeStep{
	{"welcome.admin", "jotgate createsuperuser"},
	{"welcome.mail", "jotgate serve \\\n  --base-url https://example.com \\\n  --site-name Example \\\n  --mail-server smtp://… \\\n  --mail-from …"},
	{"welcome.app", "jotgate serve \\\n  --upstream http://127.0.0.1:3000 \\\n  --login-pages"},
}

var welcomeRoute = &route{template: "welcome.html", title: "welcome.title", show: welcomeShow}

func welcomeShow(v *visit) error {
	v.Data = welcomeData{v.p.options.Docs, welcomeSteps}
	return nil
}

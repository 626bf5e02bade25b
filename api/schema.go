package api

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"embed"
	"io"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/packed"
	"github.com/jotgate/jotgate/record"
)

//go:embed openapi.yaml
var openapi []byte

//go:embed docs.html
var docsPage []byte

//go:embed docs.js
var docsScript []byte

//go:embed docs.css
var docsStyle []byte

// swaggerUI holds the files of Swagger UI, those of text compressed; see
// swagger/README.
//
//go:generate sh -c "tar -C $(go list -m -f '{{.Dir}}' github.com/swaggest/swgui)/v5/static --mode=644 -c swagger-ui-bundle.js.gz swagger-ui.css.gz favicon-32x32.png | tar -C swagger -x"
//go:embed swagger/*.gz swagger/*.png
var swaggerUI embed.FS

func showsSchema(a *API) bool { return !a.settings.NoSchema }

// OpenAPI returns the description of the endpoints, as /api/schema/ serves it
// with these settings: OpenAPI 3.1 in YAML. It does not check the settings, and
// takes from gate the names of fields, headers and endpoints, but no secret.
//
// fields are the columns that the user table has in addition to Django's, as
// store.Store.Model returns them.
func OpenAPI(gate jotgate.Settings, s Settings, fields ...record.UserField) []byte {
	return withServer(describe(gate, &s, fields), cmp.Or(strings.TrimRight(s.BaseURL, "/"), strings.TrimRight(s.Prefix, "/"), "/"))
}

// schema is GET /api/schema/.
func schema(a *API) http.Handler {
	described := sync.OnceValue(func() string { return describe(a.gate.Settings(), &a.settings, a.userFields) })
	return a.getOnly(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=300")
		serveText(w, r, "application/yaml", withServer(described(), cmp.Or(a.settings.BaseURL, a.shell.Prefix(r), "/")))
	})
}

// docsFiles are the files that the page of the schema loads. This program serves
// all of them.
var docsFiles = []string{"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"}

// docs is GET /api/docs/: the schema as a page, and the files that it loads.
// Nothing comes from another host, and the page has no inline script.
func docs(a *API) http.Handler {
	return a.getOnly(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "public, max-age=300")
		switch file := r.PathValue("file"); file {
		case "":
			serveText(w, r, "text/html; charset=utf-8", a.under(r, packed.Text(docsPage)))
		case "docs.css":
			serveText(w, r, "text/css; charset=utf-8", packed.Text(docsStyle))
		case "docs.js":
			serveText(w, r, "text/javascript; charset=utf-8", a.under(r, packed.Text(docsScript)))
		default:
			docsFile(w, r, file)
		}
	})
}

// under returns the text with the prefix before each path of an endpoint.
func (a *API) under(r *http.Request, text []byte) []byte {
	prefix := a.shell.Prefix(r)
	if prefix == "" {
		return text
	}
	return bytes.ReplaceAll(text, []byte("/api/"), []byte(prefix+"/api/"))
}

// docsFile serves one of swagger-ui's files, which are embedded compressed.
func docsFile(w http.ResponseWriter, r *http.Request, name string) {
	body, err := swaggerFile(name)
	if err != nil {
		jotgate.ErrNotFound.Respond(w, "")
		return
	}
	serveText(w, r, mime.TypeByExtension(path.Ext(name)), body)
}

func swaggerFile(name string) ([]byte, error) {
	if !slices.Contains(docsFiles, name) {
		return nil, jotgate.ErrNotFound
	}
	name = "swagger/" + name
	if strings.HasSuffix(name, ".png") {
		return swaggerUI.ReadFile(name)
	}
	packed, err := swaggerUI.Open(name + ".gz")
	if err != nil {
		return nil, err
	}
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(unpacked)
}

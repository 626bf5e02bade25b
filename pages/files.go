package pages

// Static files: one style sheet and two scripts, whose names contain a digest of
// their content, so that browsers keep them for good.

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/jotgate/jotgate/factor/passkey"
)

//go:embed static/style.css static/pages.js static/passkey-page.js
var embeddedFiles embed.FS

// maxFile bounds a file of a theme, in bytes.
const maxFile = 1 << 20

// files are the static files, by the name that a browser requests, and the
// names, by role.
type files struct {
	content map[string]staticFile
	names   map[string]string
}

type staticFile struct {
	body []byte
	kind string // media type
}

// kinds are the media types of static files.
var kinds = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp",
}

func loadFiles(o *Options) (*files, error) {
	f := &files{content: map[string]staticFile{}, names: map[string]string{}}
	style, err := readStyle(o)
	if err != nil {
		return nil, err
	}
	f.add("style", ".css", style)
	script, err := embeddedFiles.ReadFile("static/pages.js")
	if err != nil {
		return nil, err
	}
	f.add("script", ".js", script)
	own, err := embeddedFiles.ReadFile("static/passkey-page.js")
	if err != nil {
		return nil, err
	}
	f.add("passkey", ".js", slices.Concat(passkey.Script, own)) // one module
	if o.Logo == "" {
		return f, nil
	}
	ext := strings.ToLower(path.Ext(o.Logo))
	if !strings.HasPrefix(kinds[ext], "image/") {
		//lint:ignore ST1005 Logo is the name of the setting
		return nil, fmt.Errorf("Logo: %s must be an .svg, .png or .webp file", o.Logo)
	}
	logo, err := readFile(os.DirFS(filepath.Dir(o.Logo)), filepath.Base(o.Logo))
	if err != nil {
		//lint:ignore ST1005 Logo is the name of the setting
		return nil, fmt.Errorf("Logo: %w", err)
	}
	f.add("logo", ext, logo)
	return f, nil
}

// readStyle returns the style sheet: the embedded one, the accent color, and the
// operator's theme.css.
func readStyle(o *Options) ([]byte, error) {
	style, err := embeddedFiles.ReadFile("static/style.css")
	if err != nil {
		return nil, err
	}
	style = append(style, accentCSS(o.Accent)...)
	if o.Theme == nil {
		return style, nil
	}
	own, err := readFile(o.Theme, "theme.css")
	if errors.Is(err, fs.ErrNotExist) {
		return style, nil
	}
	return append(style, own...), err
}

func readFile(from fs.FS, name string) ([]byte, error) {
	b, err := fs.ReadFile(from, name)
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s has more than %d bytes", name, maxFile)
	}
	return b, err
}

func (f *files) add(role, ext string, body []byte) {
	sum := sha256.Sum256(body)
	name := role + "-" + hex.EncodeToString(sum[:8]) + ext
	f.content[name], f.names[role] = staticFile{body, kinds[ext]}, name
}

// static serves a file. A name with another digest is not found: the page that
// asked for it is of another version.
func (p *Pages) static(w http.ResponseWriter, r *http.Request) {
	file, ok := p.files.content[r.PathValue("file")]
	if !ok || r.Method != http.MethodGet && r.Method != http.MethodHead {
		p.notFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", file.kind)
	h.Set("Content-Length", strconv.Itoa(len(file.body)))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	if r.Method == http.MethodGet {
		_, _ = bytes.NewReader(file.body).WriteTo(w)
	}
}

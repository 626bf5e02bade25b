package layout

// Static files: the name of each has a digest of its content, so that browsers
// keep them for good.

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
	"strconv"
	"strings"

	"github.com/jotgate/jotgate/internal/packed"
)

//go:embed static/style.css static/pages.js
var embeddedFiles embed.FS

// static reads the embedded files, packed or not.
var static = packed.FS{FS: embeddedFiles}

// maxFile bounds a file of a theme, in bytes.
const maxFile = 1 << 20

// Files are the static files, by the name that a browser requests, and the
// names, by role: style, script, logo, and those of Add. They are safe for
// concurrent use once they are loaded.
type Files struct {
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

// Look is what an operator chooses.
type Look struct {
	Logo   string // the path of an SVG, PNG or WebP file
	Accent string // a color such as #0a7d4f
	Theme  fs.FS  // may have theme.css
}

// LoadFiles returns the style sheet, the script and the logo.
func LoadFiles(o Look) (*Files, error) {
	f := &Files{content: map[string]staticFile{}, names: map[string]string{}}
	style, err := readStyle(o)
	if err != nil {
		return nil, err
	}
	f.Add("style", ".css", style)
	script, err := static.ReadFile("static/pages.js")
	if err != nil {
		return nil, err
	}
	f.Add("script", ".js", script)
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
	f.Add("logo", ext, logo)
	return f, nil
}

// readStyle returns the style sheet: the embedded one, the accent color, and the
// operator's theme.css.
func readStyle(o Look) ([]byte, error) {
	style, err := static.ReadFile("static/style.css")
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

// Add adds a file under its role: View.Static returns its address.
func (f *Files) Add(role, ext string, body []byte) {
	sum := sha256.Sum256(body)
	name := role + "-" + hex.EncodeToString(sum[:8]) + ext
	f.content[name], f.names[role] = staticFile{body, kinds[ext]}, name
}

// Serve serves the file that the path value "file" names, and reports whether
// there is one. A name with another digest is not found: the page that asked for
// it is of another version.
func (f *Files) Serve(w http.ResponseWriter, r *http.Request) bool {
	file, ok := f.content[r.PathValue("file")]
	if !ok || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", file.kind)
	h.Set("Content-Length", strconv.Itoa(len(file.body)))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	if r.Method == http.MethodGet {
		_, _ = bytes.NewReader(file.body).WriteTo(w)
	}
	return true
}

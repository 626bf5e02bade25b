package main

// `theme`: the operator's own look of the pages.

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/pages"
)

type themeCommands struct {
	Export  themeExport  `cmd:"" help:"Write the templates, the style sheet and the catalogs of the pages into a folder."`
	Check   themeCheck   `cmd:"" help:"Render every page in every state and language with a theme."`
	Preview themePreview `cmd:"" help:"Serve every page in every state on this machine."`
}

type themeExport struct {
	Dir string `arg:"" help:"The folder to write to; existing files are not overwritten."`
}

// Help is shown below the usage line.
func (themeExport) Help() string {
	return `Change what you need and delete the rest: jotgate's own version is used for a
missing file, and stays up to date. static/style.css is for reference; put your rules in theme.css.

    jotgate theme export theme
    jotgate serve --theme theme`
}

// Run writes the files.
func (c *themeExport) Run(a *app) error {
	files, err := pages.Defaults()
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := writeNew(filepath.Join(c.Dir, filepath.FromSlash(name)), files[name]); err != nil {
			return err
		}
	}
	a.printf("wrote %d files to %s\n", len(files), c.Dir)
	return nil
}

// writeNew writes a file that does not exist yet, and its folder.
func writeNew(name string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if _, err = file.Write(text); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}

type themeCheck struct {
	Dir    string `arg:"" help:"The folder of the theme."`
	Locale string `placeholder:"DIR" help:"Catalogs to check as well. Default: none."`
}

// Help is shown below the usage line.
func (themeCheck) Help() string {
	return `The first template or catalog that cannot be used is named with its line, and the
status is 2; serve refuses it in the same way.

    jotgate theme check theme`
}

// Run renders the pages.
func (c *themeCheck) Run(a *app) error {
	p, err := themedPages(siteFlags{Theme: c.Dir, Locale: c.Locale})
	if err == nil {
		err = p.Check()
	}
	if err != nil {
		return inFlags("pages", err)
	}
	a.printf("every page of %s can be shown\n", c.Dir)
	return nil
}

type themePreview struct {
	Dir    string `arg:"" optional:"" help:"The folder of the theme. Default: none, jotgate's own pages."`
	Addr   string `default:"127.0.0.1:8001" placeholder:"HOST:PORT" help:"Where to listen."`
	Locale string `placeholder:"DIR" help:"Custom catalogs. Default: none."`
}

// Help is shown below the usage line.
func (themePreview) Help() string {
	return `Files are read again for every page, so that a change shows at a reload.

    jotgate theme preview theme`
}

// Run serves the preview until the context is done.
func (c *themePreview) Run(a *app) error {
	flags := siteFlags{Theme: c.Dir, Locale: c.Locale}
	if _, err := themedPages(flags); err != nil {
		return inFlags("pages", err)
	}
	listener, err := (&serverFlags{Addr: c.Addr}).listen(a)
	if err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := themedPages(flags)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		p.Preview().ServeHTTP(w, r)
	})}
	a.printf("every page is shown at %s/\n", (&serveFlags{}).baseOf(listener))
	go func() {
		<-a.ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(listener); a.ctx.Err() == nil {
		return fmt.Errorf("serving stopped: %w", err)
	}
	return nil
}

// themedPages returns pages without accounts.
func themedPages(f siteFlags) (*pages.Pages, error) {
	gate, err := jotgate.New(jotgate.Settings{
		SecretKey: jotgate.Secret(randomText(secretLength, secretAlphabet)), Logger: slog.New(slog.DiscardHandler),
	}, nil)
	if err != nil {
		return nil, err
	}
	o := pages.Options{Site: "Example", Locale: f.locale()}
	if f.Theme != "" {
		o.Theme = os.DirFS(f.Theme)
	}
	return pages.New(gate, o)
}

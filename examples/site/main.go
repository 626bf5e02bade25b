// Command site is a notes API with everything: the endpoints, the pages, the
// administration, a front end on another origin, roles, a custom claim, and services
// that verify its tokens without the database.
//
//	SECRET_KEY=… go run ./examples/site # then open http://localhost:8000/account/
package main

import (
	"context"
	"log"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin"
	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/store/sqlite"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	db, err := sqlite.Open(ctx, "site.db", sqlite.Options{})
	if err != nil {
		log.Fatal(err)
	}
	settings := jotgate.Settings{
		SecretKey:        jotgate.Secret(os.Getenv("SECRET_KEY")),
		Issuer:           "http://localhost:8000",
		KeyRotation:      30 * 24 * time.Hour, // ES256; the public keys are at /.well-known/jwks.json
		ServeRevocations: true,                // for guards in other services
	}
	configure(&settings)
	gate, err := jotgate.New(settings, db)
	if err != nil {
		log.Fatal(err)
	}
	if err := gate.Sync(ctx); err != nil {
		log.Fatal(err)
	}
	go func() { _ = gate.Run(ctx) }()
	handler, err := site(gate)
	if err != nil {
		log.Fatal(err)
	}
	server := api.Server("127.0.0.1:8000", handler)
	context.AfterFunc(ctx, func() { _ = server.Shutdown(context.Background()) })
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		log.Fatal(err)
	}
}

// site serves the API and everything around it.
func site(gate *jotgate.Gate) (http.Handler, error) {
	endpoints, err := api.New(gate, api.Settings{CORSOrigins: []string{"http://localhost:5173"}})
	if err != nil {
		return nil, err
	}
	mux := notes(gate)
	endpoints.Mount(mux) // /api/token/, /auth/users/ and the rest
	// The pages and the administration share the limits and the logins of the endpoints.
	p, err := pages.New(gate, pages.Options{Site: "Notes", API: endpoints})
	if err != nil {
		return nil, err
	}
	p.Mount(mux)                                                                   // /account/
	admin.Mount(mux, gate, admin.Options{Site: "Notes", Pages: p, API: endpoints}) // /admin/
	return endpoints.CORS(mux), nil
}

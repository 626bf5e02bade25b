// Command echo guards the routes of an Echo server: echo.WrapMiddleware accepts
// gate.Require unchanged.
//
//	SECRET_KEY=… go run ./echo
package main

import (
	"context"
	"log"
	"net/http"
	"os"

	"github.com/labstack/echo/v4"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/store/sqlite"
)

func main() {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, "jotgate.db", sqlite.Options{})
	if err != nil {
		log.Fatal(err)
	}
	gate, err := jotgate.New(jotgate.Settings{SecretKey: jotgate.Secret(os.Getenv("SECRET_KEY"))}, db)
	if err != nil {
		log.Fatal(err)
	}
	accounts, err := api.New(gate, api.Settings{})
	if err != nil {
		log.Fatal(err)
	}
	go gate.Run(ctx)
	log.Fatal(api.Server("127.0.0.1:8000", routes(gate, accounts)).ListenAndServe())
}

// routes passes requests without a route to jotgate's login, refresh and users.
func routes(gate *jotgate.Gate, accounts http.Handler) http.Handler {
	e := echo.New()
	e.GET("/", func(c echo.Context) error { return c.String(http.StatusOK, "welcome\n") })
	e.GET("/hello", hello, echo.WrapMiddleware(gate.Require))
	e.GET("/reports/:year", reports, echo.WrapMiddleware(gate.RequireStaff))
	e.RouteNotFound("/*", echo.WrapHandler(accounts))
	return e
}

func hello(c echo.Context) error {
	user, _ := jotgate.UserFrom(c.Request().Context())
	return c.String(http.StatusOK, "hello, "+user.Username+"\n")
}

func reports(c echo.Context) error {
	return c.String(http.StatusOK, "reports of "+c.Param("year")+"\n")
}

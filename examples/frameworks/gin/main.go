// Command gin guards the routes of a Gin engine. Gin's handlers do not nest as
// net/http's do, so the middleware is six lines around guard.Authenticate.
//
//	SECRET_KEY=… go run ./gin
package main

import (
	"context"
	"log"
	"net/http"
	"os"

	"github.com/gin-gonic/gin"

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

// require accepts requests if allowed reports true for the user; nil allows any user.
func require(guard *jotgate.Guard, allowed func(*jotgate.User) bool) gin.HandlerFunc {
	return func(c *gin.Context) {
		user, err := guard.Authenticate(c.Request)
		if err == nil && allowed != nil && !allowed(user) {
			err = jotgate.ErrForbidden
		}
		if err != nil {
			c.Abort()
			jotgate.AsError(err).Respond(c.Writer, guard.Header().Challenge)
			return
		}
		c.Set("user", user)
	}
}

// routes passes requests without a route to jotgate's login, refresh and users.
func routes(gate *jotgate.Gate, accounts http.Handler) http.Handler {
	engine := gin.New()
	engine.GET("/", func(c *gin.Context) { c.String(http.StatusOK, "welcome\n") })
	engine.GET("/hello", require(gate.Guard, nil), hello)
	engine.GET("/reports/:year", require(gate.Guard, (*jotgate.User).IsStaff), reports)
	engine.NoRoute(func(c *gin.Context) {
		c.Status(http.StatusOK) // Gin has set 404
		accounts.ServeHTTP(c.Writer, c.Request)
	})
	return engine
}

func hello(c *gin.Context) {
	user := c.MustGet("user").(*jotgate.User)
	c.String(http.StatusOK, "hello, %s\n", user.Username)
}

func reports(c *gin.Context) { c.String(http.StatusOK, "reports of %s\n", c.Param("year")) }

package mail_test

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/mail"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

//go:embed testdata/own
var own embed.FS

// A sender beside a gate.
func ExampleNew() {
	run := func(ctx context.Context, gate *jotgate.Gate, db *store.Store) error {
		sender, err := mail.New(mail.Settings{
			Server:  jotgate.Secret(os.Getenv("JOTGATE_MAIL_SERVER")), // smtp://user:password@smtp.example.com
			From:    "Example <noreply@example.com>",
			BaseURL: "https://app.example.com",
		}, gate.Accounts(), gate.Links(), db.Outbox())
		if err != nil {
			return err
		}
		go sender.Run(ctx)
		return gate.Run(ctx)
	}
	_ = run
}

// Messages in words of one's own: testdata/own holds de/confirmation.txt.
func ExampleSender_Preview() {
	messages, err := fs.Sub(own, "testdata/own")
	if err != nil {
		panic(err)
	}
	sender, err := mail.New(mail.Settings{
		Output: os.Stdout, Site: "Beispiel", BaseURL: "https://app.example.com", Templates: messages,
	}, accounts{}, accounts{}, &outbox{})
	if err != nil {
		panic(err)
	}
	m, err := sender.Preview(record.MessageConfirmation, "de-AT")
	if err != nil {
		panic(err)
	}
	fmt.Println(m.Subject)
	fmt.Println(m.Text)
	// Output:
	// Ihr Konto bei Beispiel ist bereit
	// Guten Tag,
	//
	// Sie können sich nun als alice anmelden.
}

// For development, messages are written where they can be read.
func ExampleSender_SendDue() {
	outbox := &outbox{}
	sender, err := mail.New(mail.Settings{Output: os.Stdout, BaseURL: "http://127.0.0.1:8000", Logger: quiet}, people(), people(), outbox)
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	message := record.Message{Kind: record.MessageConfirmation, User: "1", To: "alice@example.com", Created: time.Now()}
	if err := outbox.Add(ctx, message); err != nil {
		panic(err)
	}
	if _, err := sender.SendDue(ctx); err != nil {
		panic(err)
	}
	// Output:
	// ------------------------------------------------------------------------
	// From: <webmaster@localhost>
	// To: alice@example.com
	// Subject: 127.0.0.1:8000 - Your account has been successfully created and activated!
	//
	// Your account at 127.0.0.1:8000 is active. You can log in as alice now.
	//
	// 127.0.0.1:8000
	// ------------------------------------------------------------------------
}

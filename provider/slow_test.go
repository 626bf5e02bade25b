package provider_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jotgate/jotgate/provider"
)

// pipes is a listener and the dialer of its clients, in memory.
type pipes chan net.Conn

func (p pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// serve responds to every request on each connection, until it ends.
func (p pipes) serve(ctx context.Context, respond func(net.Conn)) {
	for {
		select {
		case c := <-p:
			go func() {
				defer c.Close()
				r, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				respond(c)
			}()
		case <-ctx.Done():
			return
		}
	}
}

// A provider that never stops to respond, one byte per second, is unavailable after 5
// seconds, like one that does not respond: in the headers, in the body, and when the
// connection was accepted only.
func TestTricklingProvider(t *testing.T) {
	head := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	for name, first := range map[string]string{"headers": head + "X: ", "body": head + "Content-Length: 1000000\r\n\r\n", "nothing": "", "chunks": head + "Transfer-Encoding: chunked\r\n\r\n"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				listener := make(pipes)
				go listener.serve(ctx, func(c net.Conn) {
					piece := " "
					if name == "chunks" {
						piece = "1\r\n \r\n"
					}
					_, err := io.WriteString(c, first)
					for err == nil && name != "nothing" && ctx.Err() == nil {
						time.Sleep(time.Second)
						_, err = io.WriteString(c, piece)
					}
					<-ctx.Done()
				})
				defer time.Sleep(2 * time.Second) // until the server has noticed
				defer cancel()
				transport := &http.Transport{DialContext: listener.dial, DisableKeepAlives: true}
				defer transport.CloseIdleConnections()
				issuer, err := provider.New(provider.Settings{ID: "issuer", Issuer: "http://127.0.0.1:1", ClientID: clientID, Transport: transport})
				if err != nil {
					t.Fatal(err)
				}
				plain, err := provider.New(provider.Settings{
					ID: "plain", AuthURL: "http://127.0.0.1:1/a", TokenURL: "http://127.0.0.1:1/t", UserInfoURL: "http://127.0.0.1:1/u", ClientID: clientID, Transport: transport,
				})
				if err != nil {
					t.Fatal(err)
				}
				_, flow, err := plain.Begin(ctx, callback, false)
				if err != nil {
					t.Fatal(err)
				}
				for step, do := range map[string]func() error{
					"metadata": func() error { _, _, err := issuer.Begin(ctx, callback, false); return err },
					"token": func() error {
						_, err := plain.Finish(ctx, flow, url.Values{"state": {flow.State}, "code": {"x"}})
						return err
					},
				} {
					before := time.Now()
					if err := do(); !errors.Is(err, provider.Unavailable) || time.Since(before) != 5*time.Second {
						t.Errorf("%s: %v after %v", step, err, time.Since(before))
					}
				}
			})
		})
	}
}

// When the token is there but the description of the user does not come, nobody is
// signed in.
func TestSlowDescription(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		listener := make(pipes)
		var requests atomic.Int32
		go listener.serve(ctx, func(c net.Conn) {
			if requests.Add(1) == 1 {
				const token = `{"access_token":"x"}`
				_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(token), token)
			}
			<-ctx.Done()
		})
		transport := &http.Transport{DialContext: listener.dial, DisableKeepAlives: true}
		defer transport.CloseIdleConnections()
		p, err := provider.New(provider.Settings{
			ID: "plain", AuthURL: "http://127.0.0.1:1/a", TokenURL: "http://127.0.0.1:1/t", UserInfoURL: "http://127.0.0.1:1/u", ClientID: clientID, Transport: transport,
		})
		if err != nil {
			t.Fatal(err)
		}
		_, flow, err := p.Begin(ctx, callback, false)
		if err != nil {
			t.Fatal(err)
		}
		before := time.Now()
		v, err := p.Finish(ctx, flow, url.Values{"state": {flow.State}, "code": {"x"}})
		if _, ok := v.Identity(); ok || !errors.Is(err, provider.Unavailable) || time.Since(before) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(before))
		}
	})
}

package mail_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/mail"
	"github.com/jotgate/jotgate/record"
)

// When a message cannot leave, it is tried again after 30 s, twice that, and so
// on to four hours, until it is three days old.
func TestRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		o := open(t, func(s *mail.Settings) { s.Now = time.Now })
		o.output.setFail(errBroken)
		o.enqueue(t, record.Message{Kind: record.MessagePasswordReset, User: "1", To: "alice@example.com", Created: began})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Hour)
		defer cancel()
		if err := o.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Run: %v", err)
		}
		var last time.Time
		for i, f := range o.outbox.failed() {
			want := min(30*time.Second<<i, 4*time.Hour) * 65 / 64 // the 65 is of the message's id
			if got := f.retry.Sub(f.at); got != want || f.reason != errBroken.Error() {
				t.Errorf("attempt %d: %q, again after %v; want %v", i, f.reason, got, want)
			}
			last = f.retry
		}
		if o.outbox.waiting() != 0 || last.Sub(began) < 72*time.Hour || last.Sub(began) > 77*time.Hour {
			t.Errorf("waiting %d; last try was to be after %v", o.outbox.waiting(), last.Sub(began))
		}
		o.logged(t, "it could not be sent in time")
	})
}

// Run finds a message within a second, and another when the first trouble is
// over; it ends when it is told to.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, func(s *mail.Settings) { s.Now = time.Now })
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- o.Run(ctx) }()
		time.Sleep(time.Hour)
		for range 10 {
			o.enqueue(t, record.Message{Kind: record.MessagePasswordReset, User: "1", To: "alice@example.com", Created: time.Now()})
		}
		time.Sleep(time.Second + 1)
		synctest.Wait()
		if got := strings.Count(o.output.String(), "Subject: "); got != 10 || o.outbox.waiting() != 0 {
			t.Errorf("%d messages, %d waiting", got, o.outbox.waiting())
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
}

// H008: nothing listens. The message waits, the log says why, and later it
// leaves.
func TestClosedPort(t *testing.T) {
	o := toServer(t, withoutTLS, "127.0.0.1:1", nil)
	o.write(t, record.MessagePasswordReset, "1")
	o.enqueue(t, record.Message{Kind: record.MessageDecoy, To: "nobody@example.com", Created: start})
	o.round(t, 2)
	if f := o.outbox.failed(); len(f) != 1 || !f[0].retry.After(start.Add(29*time.Second)) || o.outbox.waiting() != 1 {
		t.Errorf("failures %v, waiting %d", f, o.outbox.waiting())
	}
	o.logged(t, "connection refused", "will be tried again")
}

// talk serves one connection on 127.0.0.1 by a script.
func talk(t *testing.T, script func(net.Conn)) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if conn, err := listener.Accept(); err == nil {
			defer conn.Close()
			script(conn)
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	return listener.Addr().String()
}

// A server that says nothing, or drips, holds a message up no longer than
// Timeout; the connection is closed then.
func TestTimeout(t *testing.T) {
	for name, script := range map[string]func(net.Conn){
		"silent": func(net.Conn) {},
		"dripping": func(c net.Conn) {
			for i := 0; ; i++ {
				if _, err := io.WriteString(c, "220-wait\r\n"); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			closed := make(chan struct{})
			addr := talk(t, func(c net.Conn) {
				script(c)
				_, _ = io.Copy(io.Discard, c)
				close(closed)
			})
			o := open(t, func(s *mail.Settings) {
				s.Server, s.Timeout = jotgate.Secret("smtp://"+addr+"?tls=insecure-off"), 300*time.Millisecond
			})
			wait.Until(t, "the connection was made, and is closed", func() bool {
				o.write(t, record.MessagePasswordReset, "1")
				o.round(t, 1) // returns, so the server was not waited for without end
				select {
				case <-closed:
					return true
				default:
					return false
				}
			})
			if len(o.outbox.failed()) != o.outbox.waiting() {
				t.Errorf("%d messages, failures %v", o.outbox.waiting(), o.outbox.failed())
			}
		})
	}
}

// Timeout is for the whole message, not for each step of it.
func TestTimeoutOfAll(t *testing.T) {
	// Each step alone takes less than Timeout, and two of them more.
	addr := talk(t, speakAfter(600*time.Millisecond, "220 hello", "250 hello", "250 sender", "250 recipient", "354 go on", "250 taken"))
	o := open(t, func(s *mail.Settings) {
		s.Server, s.Timeout = jotgate.Secret("smtp://"+addr+"?tls=insecure-off"), time.Second
	})
	o.write(t, record.MessagePasswordReset, "1")
	o.round(t, 1)
	if len(o.outbox.failed()) != 1 {
		t.Errorf("a message that took longer than Timeout was sent; failures %v", o.outbox.failed())
	}
}

// A server that sends us away and waits has no connection left to hold.
func TestSentAway(t *testing.T) {
	closed := make(chan struct{})
	addr := talk(t, func(c net.Conn) {
		speak("220 hello", "554 not today", "554 not today")(c) // to EHLO and HELO
		_, _ = io.Copy(io.Discard, c)
		close(closed)
	})
	o := toServer(t, withoutTLS, addr, nil)
	o.write(t, record.MessagePasswordReset, "1")
	o.round(t, 1)
	wait.For(t, "the connection is closed", closed)
	o.logged(t, "not today", "will be tried again")
}

// speak plays a server line by line; hang up is the end of the script.
func speak(lines ...string) func(net.Conn) { return speakAfter(0, lines...) }

// speakAfter is speak with a pause before each line.
func speakAfter(pause time.Duration, lines ...string) func(net.Conn) {
	return func(c net.Conn) {
		r := bufio.NewReader(c)
		for i, line := range lines {
			if i > 0 {
				for {
					got, err := r.ReadString('\n')
					if err != nil {
						return
					}
					if !strings.HasPrefix(line, "250 taken") || got == ".\r\n" {
						break
					}
				}
			}
			time.Sleep(pause)
			if _, err := io.WriteString(c, line+"\r\n"); err != nil {
				return
			}
		}
	}
}

// From the server's word that it took the message, the message is sent, even if
// the line breaks; up to then it is not.
func TestHangUp(t *testing.T) {
	dialogue := []string{"220 hello", "250 hello", "250 sender", "250 recipient", "354 go on", "250 taken"}
	for length := range dialogue {
		addr := talk(t, speak(dialogue[:length+1]...))
		o := toServer(t, withoutTLS, addr, nil)
		o.write(t, record.MessagePasswordReset, "1")
		o.round(t, 1)
		if sent := o.outbox.waiting() == 0; sent != (length == len(dialogue)-1) {
			t.Errorf("after %q: sent %v; %s", dialogue[length], sent, o.log)
		}
	}
}

// While the outbox cannot be told that a message has left, this process does
// not send it again.
func TestNotSentTwice(t *testing.T) {
	s := serve(t, &server{plain: true}, nil)
	o := toServer(t, withoutTLS, s.addr, nil)
	o.outbox.setFailSent(true)
	o.write(t, record.MessagePasswordReset, "1")
	for range 3 {
		o.round(t, 1)
		o.advance(time.Hour) // the lease is over
	}
	if len(s.mail()) != 1 || o.outbox.waiting() != 1 {
		t.Errorf("sent %d times, %d waiting", len(s.mail()), o.outbox.waiting())
	}
	o.logged(t, "could not be removed", errBroken.Error())
	o.outbox.setFailSent(false)
	o.round(t, 1)
	o.advance(time.Hour)
	o.round(t, 0)
	if len(s.mail()) != 1 {
		t.Errorf("sent %d times", len(s.mail()))
	}
}

// Two processes on one outbox send each message once.
func TestTwoSenders(t *testing.T) {
	s := serve(t, &server{plain: true}, nil)
	a := toServer(t, withoutTLS, s.addr, nil)
	for range 20 {
		a.write(t, record.MessagePasswordReset, "1")
	}
	second, err := mail.New(mail.Settings{
		Logger: quiet, Timeout: wait.Limit,
		Server: jotgate.Secret("smtp://" + s.addr + "?tls=insecure-off"), From: "a@example.com", BaseURL: "https://x.example", Now: a.clock,
	}, a.people, a.people, a.outbox)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		var err error
		for n := 1; n > 0 && err == nil; {
			n, err = second.SendDue(t.Context())
		}
		ended <- err
	}()
	for n := 1; n > 0; {
		if n, err = a.SendDue(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if len(s.mail()) != 20 || a.outbox.waiting() != 0 {
		t.Errorf("%d arrived, %d waiting", len(s.mail()), a.outbox.waiting())
	}
}

// A message under way is finished although the process is told to end.
func TestShutdown(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := serve(t, &server{plain: true, data: func(*session, int) error {
		cancel()
		time.Sleep(50 * time.Millisecond)
		return nil
	}}, nil)
	o := toServer(t, withoutTLS, s.addr, nil)
	o.write(t, record.MessagePasswordReset, "1")
	if err := o.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
	if len(s.mail()) != 1 || o.outbox.waiting() != 0 {
		t.Errorf("%d arrived, %d waiting", len(s.mail()), o.outbox.waiting())
	}
}

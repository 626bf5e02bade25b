package postgres_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
)

// A hostile engine is a PostgreSQL without what other servers that speak its protocol
// lack (CockroachDB, YugabyteDB, proxies): every transaction is serializable, advisory
// locks and pg_notify fail, and LISTEN is refused.

// lacking replaces each function of advisory locks and announcements by one that
// fails, in a schema that is searched before PostgreSQL's own.
const lacking = `CREATE SCHEMA hostile;
DO $do$ DECLARE f record; BEGIN
FOR f IN SELECT proname, pg_get_function_identity_arguments(oid) AS arguments, format_type(prorettype, NULL) AS result FROM pg_proc
WHERE pronamespace = 'pg_catalog'::regnamespace AND (proname LIKE 'pg%advisory%' OR proname = 'pg_notify') LOOP
EXECUTE format('CREATE FUNCTION hostile.%I(%s) RETURNS %s LANGUAGE plpgsql AS $f$BEGIN RAISE EXCEPTION ''there is no %I'' USING ERRCODE = ''0A000''; END$f$',
f.proname, f.arguments, f.result, f.proname);
END LOOP; END $do$`

// hostile returns the address of a new database behind the proxy.
func hostile(t *testing.T, p *refusing) string {
	t.Helper()
	dsn := pgtest.Database(t)
	execute(t, dsn, lacking)
	return behind(t, p, dsn)
}

// behind returns the address behind the proxy.
func behind(t *testing.T, p *refusing, dsn string) string {
	t.Helper()
	return with(t, p.address(t, dsn), serializable+"&search_path=public,hostile,pg_catalog")
}

// hostileMigrated is hostile with a database that was migrated behind the proxy.
func hostileMigrated(t *testing.T, p *refusing) string {
	t.Helper()
	return behind(t, p, pgtest.Copy(t, "hostile", func(dsn string) {
		execute(t, dsn, lacking)
		s, err := postgres.Open(t.Context(), behind(t, p, dsn), postgrestest.Options)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}))
}

// The engine of these tests is hostile.
func TestHostileEngineRefuses(t *testing.T) {
	dsn := hostile(t, refuse(t))
	for _, statement := range []string{"LISTEN jotgate", "SELECT pg_notify('jotgate', '')", "SELECT pg_try_advisory_xact_lock(1::bigint)", "SELECT pg_advisory_lock(1)"} {
		if err := attempt(t, dsn, statement); err == nil {
			t.Errorf("%s works", statement)
		}
	}
	if got := value[string](t, dsn, "SHOW transaction_isolation"); got != "serializable" {
		t.Error(got)
	}
}

// Nodes that start together on an empty database migrate it once, without advisory
// locks.
func TestHostileEngineSimultaneousStarts(t *testing.T) {
	dsn := hostile(t, refuse(t))
	var all sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		all.Go(func() {
			s, err := postgres.Open(t.Context(), dsn, postgrestest.Options)
			if errs[i] = err; err == nil {
				errs[i] = s.Close()
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	if n := value[int](t, dsn, "SELECT COUNT(*) - COUNT(DISTINCT version_id) FROM jotgate_migrations"); n != 0 {
		t.Errorf("%d versions were applied twice", n)
	}
}

// Where LISTEN alone is refused, one refusal is enough: the connection is not opened
// again and again.
func TestListenRefused(t *testing.T) {
	p := refuse(t)
	s := postgrestest.OpenAt(t, p.address(t, pgtest.Database(t)))
	ended := make(chan error, 1)
	go func() { ended <- s.Watch(t.Context(), func() { t.Error("a change was announced") }) }()
	wait.Until(t, "LISTEN was refused", func() bool { return p.refused.Load() > 0 })
	untilFirst(t, s, "no announcements", func(f store.Fact) bool {
		return f.About == "connection" && strings.Contains(f.Fix, "polled every 500 ms")
	})
	if n := p.refused.Load(); n != 1 {
		t.Errorf("refused %d times", n)
	}
}

// refusing is a proxy before PostgreSQL that makes LISTEN a syntax error.
type refusing struct {
	at      string       // its own host and port
	server  atomic.Value // those of the server
	refused atomic.Int64
}

// address returns the address of a database through the proxy.
func (p *refusing) address(t *testing.T, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	p.server.Store(u.Host)
	u.Host = p.at
	return u.String()
}

func refuse(t *testing.T) *refusing {
	t.Helper()
	p := &refusing{}
	p.at = listen(t, p.pass)
	return p
}

// pass copies both ways. Messages from the client are a type, which the first one
// does not have, a length of 32 bits that counts itself, and the content.
func (p *refusing) pass(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.server.Load().(string))
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	}()
	for head := 4; ; head = 5 {
		message := make([]byte, head)
		if _, err := io.ReadFull(client, message); err != nil {
			return
		}
		rest := make([]byte, binary.BigEndian.Uint32(message[head-4:])-4)
		if _, err := io.ReadFull(client, rest); err != nil {
			return
		}
		if i := bytes.Index(rest, []byte("LISTEN ")); i >= 0 && (message[0] == 'Q' || message[0] == 'P') {
			copy(rest[i:], "REFUSE")
			p.refused.Add(1)
		}
		if _, err := server.Write(append(message, rest...)); err != nil {
			return
		}
	}
}

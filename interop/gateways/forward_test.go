package gateways

import (
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate/interop/client"
	"github.com/jotgate/jotgate/interop/serve"
	"github.com/jotgate/jotgate/jwt"
)

func TestMain(m *testing.M) { os.Exit(serve.Main(m)) }

// each runs a test before every gateway.
func each(t *testing.T, test func(t *testing.T, f *front)) {
	for _, g := range gateways {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			test(t, g.run(t))
		})
	}
}

// token is an access token of jotgate's after change.
func token(t testing.TB, change func(claims map[string]any)) string {
	t.Helper()
	return signed(t, secret, change)
}

func signed(t testing.TB, secret string, change func(claims map[string]any)) string {
	t.Helper()
	key, err := jwt.NewHMAC(jwt.HS256, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	claims := map[string]any{
		"token_type": "access", "exp": time.Now().Unix() + 3600, "iat": time.Now().Unix(), "jti": "1", "user_id": "7", "username": "alice",
		"role": map[string]any{"id": "user", "display_name": "User", "role_type": "user"},
		"sid":  "00112233445566778899aabbccddeeff",
	}
	if change != nil {
		change(claims)
	}
	text, err := jwt.Sign(key, claims)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// alice is what the API must read of token's user, and nothing else.
var alice = map[string]string{"id": "7", "user": "alice", "role": "user", "session": "00112233445566778899aabbccddeeff"}

// A user signs up, logs in and calls the API, all through the gateway.
func TestLoginAndCall(t *testing.T) {
	each(t, func(t *testing.T, f *front) {
		base := "http://" + f.address
		if made := client.Post(t, base+"/auth/users/", "username", "bob", "password", "correct-horse-1"); made.Status != 201 {
			t.Fatalf("sign-up: %d %v", made.Status, made.Body)
		}
		login := client.Post(t, base+"/api/token/", "username", "bob", "password", "correct-horse-1")
		if login.Status != 200 {
			t.Fatalf("login: %d %v", login.Status, login.Body)
		}
		f.api.take()
		status, _, body := send(t, f.address, "GET /api/things?x=%2F&y=1 HTTP/1.1\nAuthorization: Bearer "+login.Text("access"), "")
		got := f.api.take()
		if status != 200 || body != "from the API" || len(got) != 1 {
			t.Fatalf("with a token: %d %q, the API saw %v", status, body, got)
		}
		id := got[0].identity()
		if got[0].target != "/api/things?x=%2F&y=1" || id["user"] != "bob" || id["id"] == "" || id["role"] != "user" || id["session"] == "" {
			t.Errorf("the API saw %s of %v", got[0].target, id)
		}
	})
}

// Each is the accepted request changed in one point.
func TestRefusals(t *testing.T) {
	each(t, func(t *testing.T, f *front) {
		good := token(t, nil)
		const line = "GET /api/things HTTP/1.1\n"
		if status, _, _ := send(t, f.address, line+"Authorization: Bearer "+good, ""); status != 200 {
			t.Fatalf("the good token: %d", status)
		}
		f.api.take()
		expired := token(t, func(c map[string]any) { c["exp"] = time.Now().Unix() - 1 })
		refresh := token(t, func(c map[string]any) { c["token_type"] = "refresh" })
		for name, head := range map[string]string{
			"no token":      line,
			"expired":       line + "Authorization: Bearer " + expired,
			"a refresh":     line + "Authorization: Bearer " + refresh,
			"wrong key":     line + "Authorization: Bearer " + signed(t, strings.ToUpper(secret), nil),
			"cut":           line + "Authorization: Bearer " + good[:len(good)-1],
			"other scheme":  line + "Authorization: Basic " + good,
			"other header":  line + "X-Authorization: Bearer " + good,
			"in the query":  "GET /api/things?token=" + good + "&access_token=" + good + " HTTP/1.1\n",
			"in a cookie":   line + "Cookie: access=" + good + "; token=" + good,
			"another route": "GET /api HTTP/1.1\n",
		} {
			status, header, body := send(t, f.address, head, "")
			if status != 401 || header.Get("WWW-Authenticate") != `Bearer realm="api"` || strings.Contains(body, "from the API") {
				t.Errorf("%s: %d %v %s", name, status, header, body)
			}
		}
		form := url.Values{"access_token": {good}, "token": {good}}.Encode()
		head := "POST /api/things HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\nContent-Length: " + strconv.Itoa(len(form))
		if status, _, _ := send(t, f.address, head, form); status != 401 {
			t.Errorf("in a form: %d", status)
		}
		if got := f.api.take(); len(got) > 0 {
			t.Errorf("the API saw %v", got)
		}
	})
}

// Nobody but jotgate tells the API who the user is.
func TestForgedIdentity(t *testing.T) {
	each(t, func(t *testing.T, f *front) {
		var forged strings.Builder
		for _, name := range []string{
			"Id", "User", "Role", "Email", "Groups", "Session",
		} {
			for _, spelling := range []string{"X-Auth-", "x-auth-", "X_Auth_", "X-Auth_", "X_Auth-", "x_AUTH_"} {
				forged.WriteString("\n" + spelling + name + ": root")
			}
		}
		head := "GET /api/x HTTP/1.1\nAuthorization: Bearer " + token(t, nil)
		for name, request := range map[string]string{
			"after":  head + forged.String(),
			"before": strings.Replace(head, "\n", forged.String()+"\n", 1),
		} {
			status, _, _ := send(t, f.address, request, "")
			got := f.api.take()
			if status != 200 || len(got) != 1 {
				t.Fatalf("%s: %d, the API saw %d requests", name, status, len(got))
			}
			if diff := cmp.Diff(alice, got[0].identity()); diff != "" {
				t.Errorf("%s: the API reads (-want +got)\n%s", name, diff)
			}
		}
		// Without a user there is no identity at all.
		status, _, _ := send(t, f.address, "GET /health HTTP/1.1"+forged.String(), "")
		if got := f.api.take(); status != 200 || len(got) != 1 || len(got[0].identity()) > 0 {
			t.Errorf("an open path: %d, the API saw %v", status, got)
		}
		// Headers named in Connection are taken away on the road, and so might
		// be the true ones; then there is no identity, but never another.
		status, _, _ = send(t, f.address, head+"\nConnection: close, X-Auth-User, X-Auth-Role"+forged.String(), "")
		for _, s := range f.api.take() {
			for name, value := range s.identity() {
				if value != alice[name] {
					t.Errorf("Connection: %d, the API reads %s of %s", status, value, name)
				}
			}
		}
	})
}

// Where staff alone may enter, others are answered 403.
func TestStaff(t *testing.T) {
	each(t, func(t *testing.T, f *front) {
		if f.staff == "" {
			return // the proxy leaves roles to the API behind
		}
		staff := token(t, func(c map[string]any) {
			c["role"] = map[string]any{"id": "staff", "display_name": "Staff", "role_type": "staff"}
		})
		for who, want := range map[string]int{staff: 200, token(t, nil): 403, "x": 401} {
			status, _, _ := send(t, f.staff, "GET /api/x HTTP/1.1\nAuthorization: Bearer "+who, "")
			if got := f.api.take(); status != want || (len(got) > 0) != (want == 200) {
				t.Errorf("%d, want %d; the API saw %v", status, want, got)
			}
		}
	})
}

// While jotgate does not respond, every request is rejected.
func TestStopped(t *testing.T) {
	each(t, func(t *testing.T, f *front) {
		head := "GET /api/x HTTP/1.1\nAuthorization: Bearer " + token(t, nil)
		if status, _, _ := send(t, f.address, head, ""); status != 200 {
			t.Fatalf("before: %d", status)
		}
		f.api.take()
		_ = f.jotgate.Stop()
		if f.staff == "" {
			return // the gate itself is gone, and with it the road to the API
		}
		for _, address := range []string{f.address, f.staff} {
			status, _, body := send(t, address, head, "")
			if status < 500 || status > 504 {
				t.Errorf("with jotgate stopped: %d %s", status, body)
			}
		}
		if got := f.api.take(); len(got) > 0 {
			t.Errorf("the API saw %v", got)
		}
		if status, _, _ := send(t, f.address, "GET /health HTTP/1.1", ""); status != 200 {
			t.Errorf("an open path: %d", status)
		}
	})
}

package manifests

import (
	"io"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

func portText(port int32) string { return strconv.Itoa(int(port)) }

func get(t *testing.T, address string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// load reads a Compose file with Compose's own parser, which validates it by the schema of the specification.
func load(t *testing.T, folder string) *types.Project {
	t.Helper()
	project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir: folder, ConfigFiles: []types.ConfigFile{{Filename: folder + "/compose.yaml"}}, Environment: types.Mapping{},
	}, func(o *loader.Options) { o.SetProjectName("test", true) })
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// environment returns the variables of a service, of which each has a value.
func environment(t *testing.T, s types.ServiceConfig) map[string]string {
	t.Helper()
	env := map[string]string{}
	for name, value := range s.Environment {
		if value == nil {
			t.Fatalf("%s: %s has no value", s.Name, name)
		}
		env[name] = *value
	}
	return env
}

// The Compose files are valid; each secret that a variable names is mounted; jotgate can do nothing but serve.
func TestCompose(t *testing.T) {
	for _, folder := range []string{"container", "compose"} {
		project := load(t, "../../examples/deploy/"+folder)
		for _, s := range project.Services {
			for name, value := range environment(t, s) {
				secret, is := strings.CutPrefix(value, "/run/secrets/")
				if is && !slices.ContainsFunc(s.Secrets, func(c types.ServiceSecretConfig) bool { return c.Source == secret }) {
					t.Errorf("%s: the service %s does not mount %s of %s", folder, s.Name, value, name)
				}
			}
		}
		s, err := project.GetService("jotgate")
		if err != nil {
			t.Fatal(err)
		}
		known(t, environment(t, s))
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || s.Privileged || s.StopGracePeriod.String() != "30s" {
			t.Errorf("%s: the service has rights that it does not need, or no time to end", folder)
		}
	}
}

// jotgate starts with the command and the environment of the file, and finds its password; Caddy reads its file, which
// names the service and its port.
func TestComposeStarts(t *testing.T) {
	project := load(t, "../../examples/deploy/compose")
	s := project.Services["jotgate"]
	at := (&container{s.Command, environment(t, s)}).start(t)
	probe(t, at["8000"], "/readyz")
	text, err := exec.Command("caddy", "adapt", "--validate", "--config", "../../examples/deploy/compose/Caddyfile", "--adapter", "caddyfile").Output()
	if err != nil {
		t.Fatalf("caddy: %v %s", err, text)
	}
	for _, want := range []string{`"dial":"jotgate:8000"`, `"uri":"/readyz"`, `"host":["accounts.example.com"]`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the Caddyfile has no %s: %s", want, text)
		}
	}
	if database := environment(t, s)["JOTGATE_DATABASE"]; !strings.Contains(database, "@database/") || project.Services["database"].HealthCheck == nil {
		t.Errorf("%s is not the service of the file", database)
	}
}

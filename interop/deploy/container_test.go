package deploy

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/internal/program"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/interop/peer"
)

// instructions returns the lines of the Dockerfile: the word and the rest.
func instructions(t *testing.T) (all [][2]string) {
	t.Helper()
	for _, line := range strings.Split(example(t, "container/Dockerfile"), "\n") {
		if word, rest, found := strings.Cut(line, " "); found && word != "#" {
			all = append(all, [2]string{word, rest})
		}
	}
	return all
}

// words decodes the JSON form of ENTRYPOINT and CMD.
func words(t *testing.T, text string) (list []string) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return list
}

// image runs the Dockerfile's steps without a daemon: it builds as the file says, and
// returns a folder with the image's files and the command line.
func image(t *testing.T) (root string, command []string, user string) {
	t.Helper()
	root, out := t.TempDir(), t.TempDir()
	for _, instruction := range instructions(t) {
		switch word, rest := instruction[0], instruction[1]; word {
		case "RUN":
			shell := exec.Command("/bin/sh", "-ec", strings.ReplaceAll(rest, "/out/", out+"/"))
			shell.Dir = "../.."
			if text, err := shell.CombinedOutput(); err != nil {
				t.Fatalf("RUN %s: %v\n%s", rest, err, text)
			}
		case "COPY":
			if !strings.HasPrefix(rest, "--from=build ") {
				continue // the source
			}
			fields := strings.Fields(rest)
			from, to := strings.Replace(fields[len(fields)-2], "/out/", out+"/", 1), filepath.Join(root, fields[len(fields)-1])
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				t.Fatal(err)
			}
			if text, err := exec.Command("cp", "-rL", from, to).CombinedOutput(); err != nil {
				t.Fatalf("COPY %s: %v\n%s", rest, err, text)
			}
			if owner := regexp.MustCompile(`--chown=(\S+)`).FindStringSubmatch(rest); owner != nil && os.Getuid() == 0 {
				if text, err := exec.Command("chown", "-R", owner[1], to).CombinedOutput(); err != nil {
					t.Fatalf("COPY %s: %v\n%s", rest, err, text)
				}
			}
		case "USER":
			user = rest
		case "ENTRYPOINT", "CMD":
			command = append(command, words(t, rest)...)
		}
	}
	return root, command, user
}

// settings returns the environment of compose.yaml, with its secret in the root.
func settings(t *testing.T, root string) (env []string) {
	t.Helper()
	_, block, _ := strings.Cut(example(t, "container/compose.yaml"), "\n    environment:\n")
	for _, line := range regexp.MustCompile(`(?m)^      (JOTGATE_\w+): (\S+)`).FindAllStringSubmatch(block, -1) {
		if env = append(env, line[1]+"="+line[2]); line[1] != "JOTGATE_SECRET_KEY_FILE" {
			continue
		}
		file := filepath.Join(root, line[2])
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, file, secret)
		if err := os.Chmod(file, 0o444); err != nil { // as docker mounts it
			t.Fatal(err)
		}
	}
	if len(env) < 4 {
		t.Fatalf("the environment is %v", env)
	}
	return env
}

// The image has the program, the authorities and an empty folder, and nothing else;
// its user, who is not root, can serve from it, and the accounts outlive the container.
func TestContainer(t *testing.T) {
	root, command, user := image(t)
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	env, address := settings(t, root), freeport.Address(t)
	_, port, _ := strings.Cut(address, ":")
	if strings.Join(command, " ") != "/jotgate serve --addr :8000 --database sqlite:/data/jotgate.db" || strings.HasPrefix(user, "0") || user == "" {
		t.Fatalf("the image runs %v as %s", command, user)
	}
	command[3] = ":" + port
	run := append([]string{"chroot", "--userspec=" + user, root}, command...)
	if os.Getuid() != 0 { // only root can become another user
		run = append([]string{"unshare", "--map-root-user", "chroot", root}, command...)
	}
	client := browser(t, address)
	for range 2 {
		process := exec.Command(run[0], run[1:]...)
		process.Env = slices.Concat(program.Limits, env)
		container := peer.Serve(t, process)
		wait.Until(t, "the container is ready", func() bool {
			if container.Ended() {
				t.Fatalf("it ended: %s", container.Output())
			}
			response, err := client.Get("http://10.0.0.1:8000/readyz")
			return err == nil && response.Body.Close() == nil && response.StatusCode == 200
		})
		login(t, client, "http://accounts.example.com")
		if err := container.Stop(); err != nil {
			t.Fatalf("%v: %s", err, container.Output())
		}
	}
	if found, err := os.Stat(filepath.Join(root, "data/jotgate.db")); err != nil || found.Size() == 0 {
		t.Errorf("the volume has no database: %v", err)
	}
}

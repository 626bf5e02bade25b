package peer

import (
	"os"
	"os/exec"
)

// Nginx returns the command that runs nginx in the foreground with a file of the folder.
func Nginx(folder, file string) *exec.Cmd {
	return exec.Command("/usr/sbin/nginx", "-p", folder, "-c", file, "-g", "daemon off;") // not in everybody's PATH
}

// Caddy returns the command that runs Caddy with a file of the folder, which is also its home.
func Caddy(folder, file string) *exec.Cmd {
	command := exec.Command("/usr/bin/caddy", "run", "--config", file, "--adapter", "caddyfile")
	command.Dir = folder
	command.Env = append(os.Environ(), "HOME="+folder, "XDG_DATA_HOME="+folder, "XDG_CONFIG_HOME="+folder)
	return command
}

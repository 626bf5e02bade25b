package together

// The settings of the libraries that are installed, and the list that cmd/jotgate
// has a verdict for.

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/interop/peer"
)

// namesOfSettings prints the settings of Django and of the libraries beside it,
// as their source has them. Each argument is a folder of packages.
const namesOfSettings = `
import os, re, sys
sources = [
    ("django/conf/global_settings.py", r"^([A-Z_]+)\s*=", ""),
    ("rest_framework/settings.py", r"^\s+'([A-Z_]+)'\s*:", "REST_FRAMEWORK."),
    ("rest_framework_simplejwt/settings.py", r'^\s+"([A-Z_]+)"\s*:', "SIMPLE_JWT."),
    ("djoser/conf.py", r'^    "([A-Z_]+)"\s*:', "DJOSER."),
    ("corsheaders/conf.py", r"settings,\s*['\"]([A-Z_]+)['\"]", ""),
]
for app in ("account", "socialaccount", "mfa", "headless", "usersessions"):
    sources.append(("allauth/%s/app_settings.py" % app, r"_setting\(\s*[\"']([A-Z_0-9]+)[\"']", app.upper() + "_"))
names = set()
for folder in sys.argv[1:]:
    for path, pattern, prefix in sources:
        file = os.path.join(folder, path)
        if os.path.exists(file):
            names |= {prefix + name for name in re.findall(pattern, open(file).read(), re.M)}
names.discard("SOCIALACCOUNT_SOCIALACCOUNT_STR")  # a model's class, not a setting of sites
print("\n".join(sorted(names)))
`

// Every setting of the installed packages is in the list, so that a newer package
// needs verdicts for what it adds.
func TestEverySettingOfTheInstalledLibrariesIsListed(t *testing.T) {
	listed, err := os.ReadFile("../../cmd/jotgate/testdata/django/names.txt")
	if err != nil {
		t.Fatal(err)
	}
	newer, err := exec.Command("../../tools/allauth", "--check").Output()
	if err != nil {
		t.Fatal("django-allauth 65 is missing: run tools/setup")
	}
	out, err := exec.Command(peer.Python(), "-c", namesOfSettings, "/usr/lib/python3/dist-packages", strings.TrimSpace(string(newer))).Output()
	if err != nil {
		t.Fatal(err)
	}
	names, list := strings.Fields(string(out)), strings.Fields(string(listed))
	if len(names) < 300 || !slices.Contains(names, "SIMPLE_JWT.LEEWAY") || !slices.Contains(names, "MFA_TOTP_ISSUER") {
		t.Fatalf("%d settings were found", len(names))
	}
	for _, name := range names {
		if !slices.Contains(list, name) {
			t.Errorf("names.txt has no %s", name)
		}
	}
}

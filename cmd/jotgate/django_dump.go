package main

// A dump of a site's settings, and values of Python in it.

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// dump is the settings of a site, as doctor --help makes them.
type dump map[string]any

// get returns a value by its path, or nil.
func (d dump) get(path string) any {
	first, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		return d[first]
	}
	inner, _ := d[first].(map[string]any)
	return dump(inner).get(rest)
}

// or returns a value by its path, or another one if it is absent or None.
func (d dump) or(path string, absent any) any { return first(d.get(path), absent) }

// installed reports whether an app is in INSTALLED_APPS, by its name or its
// AppConfig.
func (d dump) installed(app string) bool {
	for _, name := range listOf(d["INSTALLED_APPS"]) {
		if name == app || strings.HasPrefix(name, app+".") {
			return true
		}
	}
	return false
}

// first returns the first value that is not nil.
func first(values ...any) any {
	for _, v := range values {
		if v != nil {
			return v
		}
	}
	return nil
}

// listOf returns the elements of a list, or a list of the one value, or none.
func listOf(value any) []string {
	switch v := value.(type) {
	case nil:
		return nil
	case []any:
		list := make([]string, len(v))
		for i, element := range v {
			list[i] = fmt.Sprint(element)
		}
		return list
	case float64:
		return []string{strconv.FormatFloat(v, 'f', -1, 64)}
	default:
		return []string{fmt.Sprint(v)}
	}
}

// pythonValue formats a duration as jotgate writes it: str(timedelta), or
// seconds.
func pythonValue(v any) string {
	switch v := v.(type) {
	case float64:
		return formatDuration(time.Duration(v) * time.Second)
	case string:
		if d, ok := pythonDuration(v); ok {
			return formatDuration(d)
		}
	}
	return fmt.Sprint(v)
}

// pythonDuration parses str(timedelta): "0:05:00" or "1 day, 0:00:00".
func pythonDuration(text string) (time.Duration, bool) {
	days := 0
	if before, after, found := strings.Cut(text, ", "); found {
		if _, err := fmt.Sscanf(before, "%d day", &days); err != nil {
			return 0, false
		}
		text = after
	}
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return 0, false
	}
	d, err := time.ParseDuration(parts[0] + "h" + parts[1] + "m" + parts[2] + "s")
	return d + time.Duration(days)*24*time.Hour, err == nil
}

// secretSetting matches the names of settings that are, or hold, secrets.
var secretSetting = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`SECRET|_PASSWORD$|(PRIVATE|SIGNING|API)_KEY$|BYPASS_CODE`)
})

// shownSetting formats a value of the dump for a line of doctor. A secret is not
// shown.
func shownSetting(path string, v any) string {
	if secretSetting().MatchString(path) {
		return "given"
	}
	switch v := v.(type) {
	case nil:
		return "nothing"
	case []any:
		return strings.Join(namesIn(v), ", ")
	case map[string]any:
		return plural(len(v), "member")
	case bool:
		return strconv.FormatBool(v)
	}
	if text := pythonValue(v); text != "" {
		return text
	}
	return "nothing"
}

// namesIn returns the elements of a list; of objects, such as password
// validators and the fields of a model, the names.
func namesIn(list []any) []string {
	texts := listOf(list)
	for i, v := range list {
		if object, is := v.(map[string]any); is {
			name, is := object["NAME"].(string)
			if !is {
				name, _ = object["column"].(string)
			}
			texts[i] = cmp.Or(name[strings.LastIndex(name, ".")+1:], plural(len(object), "member"))
		}
	}
	return texts
}

package admin

// Django's history: the messages that its admin writes and shows.

import (
	"encoding/json"
	"sort"
	"strings"

	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/record"
)

// djangoFields is the order of the fields in the forms of Django's UserAdmin and
// GroupAdmin, in which its history names those that were changed.
var djangoFields = []string{
	"username", "password", "first_name", "last_name", "email", "is_active", "is_staff", "is_superuser", "groups", "user_permissions", "name", "permissions",
}

// djangoAdded is the message about a new object.
const djangoAdded = `[{"added": {}}]`

// djangoChanged returns the message about changed fields, byte for byte as Python's
// json.dumps writes it.
func djangoChanged(labels []string) string {
	if len(labels) == 0 {
		return "[]" // "No fields changed."
	}
	var b strings.Builder
	b.WriteString(`[{"changed": {"fields": [`)
	for i, label := range labels {
		if i > 0 {
			b.WriteString(", ")
		}
		text, _ := json.Marshal(label) // labels are ASCII
		b.Write(text)
	}
	b.WriteString("]}}]")
	return b.String()
}

// label returns the label of a field in Django's forms.
func label(field string) string {
	if text := labels[field]; text != "" {
		return text
	}
	return strings.ToUpper(field[:1]) + strings.ReplaceAll(field[1:], "_", " ")
}

// djangoText returns an entry of Django's history in words, as its History page
// shows it (LogEntry.get_change_message).
func djangoText(e adminstore.LogEntry) string {
	var parts []map[string]struct {
		Name   string
		Object string
		Fields []string
	}
	if !strings.HasPrefix(e.Message, "[") || json.Unmarshal([]byte(e.Message), &parts) != nil {
		if e.Message == "" {
			return map[adminstore.LogFlag]string{adminstore.LogAddition: "Added.", adminstore.LogDeletion: "Deleted."}[e.Flag]
		}
		return e.Message
	}
	var texts []string
	for _, part := range parts {
		for _, verb := range []string{"added", "changed", "deleted"} {
			p, ok := part[verb]
			if !ok {
				continue
			}
			text := strings.ToUpper(verb[:1]) + verb[1:]
			if len(p.Fields) > 0 {
				text += " " + enumerate(p.Fields)
			}
			if p.Name != "" {
				text += map[bool]string{true: " for ", false: " "}[len(p.Fields) > 0] + p.Name + " “" + p.Object + "”"
			}
			texts = append(texts, text+".")
		}
	}
	if len(texts) == 0 {
		return "No fields changed."
	}
	return strings.Join(texts, " ")
}

// enumerate joins words as Django's get_text_list does.
func enumerate(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// djangoName is the name under which entries of Django's history are shown. They are
// no events of the audit trail.
const djangoName = "django"

// withDjango adds the entries of Django's history to the events of a user, newest first.
func withDjango(events []record.Event, user record.UserID, entries []adminstore.LogEntry) []record.Event {
	for _, e := range entries {
		events = append(events, record.Event{
			Time: e.Time, Name: djangoName, Outcome: "success", User: user, Actor: e.Actor, Target: "user " + string(user), Detail: djangoText(e), Count: 1,
		})
	}
	sort.SliceStable(events, func(i, j int) bool { return events[i].Time.After(events[j].Time) })
	return events
}
